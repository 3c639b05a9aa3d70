"""Arguments: several levels after one flag, usage errors, help."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli import inspect
from perf_pipeline.cli.app import spread_levels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer

COMMANDS = (
    *("run", "check", "scenarios", "records", "report"),
    *("start", "stop", "status", "doctor"),
)


@pytest.mark.parametrize(
    ("arguments", "levels"),
    [
        ("run baseline --concurrency 10 50 --json", "10 50"),
        ("run baseline --concurrency 10 --concurrency 50 60", "10 50 60"),
        ("run baseline --concurrency=10 50", "=10 50"),
        ("run baseline --concurrency 0 -5 1e12 abc nan --seed 3", "0 -5 1e12 abc nan"),
        ("run baseline --concurrency 10 ten --seed 3", "10 ten"),
        ("run --concurrency 10 50 baseline --seed 3", "10 50"),
        ("run baseline --concurrency", ""),
        ("run baseline --seed 3 4", ""),
    ],
)
def test_every_value_after_concurrency_is_a_level(arguments: str, levels: str) -> None:
    """Bare text is a level only after the name of the scenario."""
    spread = spread_levels(arguments.split())
    values = [
        one.removeprefix("--concurrency")
        for previous, one in pairwise(spread)
        if one.startswith("--concurrency=") or previous == "--concurrency"
    ]
    assert values == levels.split()
    assert [one for one in spread if one != "--concurrency"] == [
        one for one in arguments.split() if one != "--concurrency"
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("dashboard --port 99999", "'--port': it is 99999; allowed is an integer from 0 to 65535"),
        ("dashboard --port x", "'--port': it is x; allowed is an integer from 0 to 65535"),
        ("history --runs 1", "'--runs': it is 1; allowed is an integer of at least 2"),
        ("run my.toml --shards x", "'--shards': it is x; allowed is an integer"),
        ("selftest noise --size big", "'--size': 'big' is not one of 'ci', 'full'."),
    ],
)
def test_a_refused_value_is_named_with_what_is_allowed(
    command: Callable[..., Answer], arguments: str, sentence: str
) -> None:
    answer = command(*arguments.split(), "--json")
    assert answer.code == 2
    assert answer.reported["problems"] == [f"Invalid value for {sentence}"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(command: Callable[..., Answer], name: str) -> None:
    answer = command(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert f"Usage: perf-pipeline {name}" in answer.out
    assert "--json" in answer.out


def test_help_names_every_command(command: Callable[..., Answer]) -> None:
    answer = command("-h")
    assert answer.code == 0
    assert [name for name in COMMANDS if f"  {name} " not in answer.out] == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("rum baseline", "No such command 'rum'"),
        ("run", "Missing argument"),
        ("run baseline more", "unexpected extra argument"),
        ("run baseline --sede 3", "No such option: --sede"),
        ("check --json x.toml --results", "--results would do nothing"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_an_object(
    command: Callable[..., Answer], arguments: str, problem: str
) -> None:
    answer = command(*arguments.split(), "--json")
    assert answer.code == 2
    assert answer.reported["error"] == "UsageError"
    assert problem in answer.reported["problems"][0]
    assert "Usage: perf-pipeline" in answer.err
    without = command(*arguments.replace("--json", "").split())
    assert (without.code, without.out) == (2, "")


@pytest.mark.parametrize(
    "arguments",
    ["URL", "run URL", "run baseline URL", "run baseline --URL", "check URL", "report URL"],
)
def test_a_url_in_the_wrong_place_is_not_repeated_with_its_password(
    command: Callable[..., Answer], arguments: str
) -> None:
    """A path made of it has one slash less than a URL, and argument errors are drawn in a box."""
    answer = command(*arguments.replace("URL", "mysql://shop:CANARY1@host/db").split(), "--json")
    assert answer.code == 2
    assert "CANARY" not in answer.out + answer.err


def test_a_defect_of_ours_is_no_verdict(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own exit code for a traceback, 1, would say that a gate failed."""

    def broken() -> None:
        raise ZeroDivisionError("of ours, with redis://user:secret@host/0")

    monkeypatch.setattr(inspect, "list_scenarios", broken)
    answer = command("scenarios", "--json")
    assert answer.code == 70
    (file,) = (here / "state/perf_pipeline/defects").iterdir()
    what = "ZeroDivisionError: of ours, with redis://user:***@host/0"
    text = f"a defect of perf_pipeline: {what}. Please report it with {file}"
    assert answer.reported["problems"] == [text]
    assert answer.err.splitlines() == [text]
    trace = file.read_text(encoding="utf-8")
    assert "in broken" in trace
    assert "secret" not in trace
