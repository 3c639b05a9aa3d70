"""The command allocations: what it plays, what it prints, and its exit code."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.cli.regression import allocations
from perf_pipeline.errors import GaveUpWaitingError, TargetEnvironmentError
from perf_pipeline.metrics.allocations.growth_file import read_growth_places
from perf_pipeline.worker.tracing.trace_job import TraceJob
from tests.sampled_campaign import CAMPAIGN_ID, write_sampled_campaign
from tests.simulated_trace import FILLED, LEAK, judged, trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces
    from tests.unit.cli.conftest import Answer

SCENARIO = """
target = "callable"
python_path = "."
concurrency = [2]

[[workload]]
function = "shop:order"
"""


@pytest.fixture
def shop(here: Path) -> str:
    """A scenario of a function that is never called."""
    (here / "shop.py").write_text("def order(number):\n    pass\n")
    (here / "shop.toml").write_text(SCENARIO)
    return "shop.toml"


def found(monkeypatch: pytest.MonkeyPatch, growth: GrowthPlaces | Exception) -> list[Any]:
    """Let a trace find this; returns what was asked of it."""
    asked: list[Any] = []

    def trace_growth(*_: object, **given: Any) -> GrowthPlaces:
        asked.append(given["trace"])
        if isinstance(growth, Exception):
            raise growth
        return growth

    monkeypatch.setattr(allocations, "trace_growth", trace_growth)
    return asked


@pytest.mark.parametrize(
    ("growth", "code", "said"),
    [
        (judged(trace(LEAK)), 1, "shop.py:3 (order) grew to the end: 100 kB"),
        (judged(trace(FILLED)), 0, "No place grew to the end"),
        (replace(judged(trace()), problem="it ended"), 3, "No place can be named: it ended."),
        (TargetEnvironmentError("no such target"), 3, "no such target"),
        (GaveUpWaitingError("another run goes on"), 75, "another run goes on"),
    ],
)
def test_the_exit_code_says_whether_a_place_grew(
    command: Callable[..., Answer],
    shop: str,
    monkeypatch: pytest.MonkeyPatch,
    growth: GrowthPlaces | Exception,
    code: int,
    said: str,
) -> None:
    found(monkeypatch, growth)
    answer = command("allocations", shop, "--json")
    assert answer.code == code
    assert said in " ".join(answer.err.split())
    if not isinstance(growth, Exception):
        assert len(answer.reported["places"]) == len(growth.places)
        assert read_growth_places(Path(answer.reported["file"])) == growth


def test_the_amount_of_work_is_what_the_flags_say(
    command: Callable[..., Answer], shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = found(monkeypatch, judged(trace(FILLED)))
    command("allocations", shop)
    flags = ("--warm-up", "7", "--workflows", "20", "--intervals", "4", "--limit", "2m")
    command("allocations", shop, *flags)
    assert asked[0] == TraceJob()
    assert asked[1] == replace(
        TraceJob(), warm_up_workflows=7, interval_workflows=20, intervals=4, limit_s=120.0
    )


def test_wrong_flags_are_all_named_before_anything_starts(
    command: Callable[..., Answer], shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = found(monkeypatch, judged(trace(LEAK)))
    answer = command("allocations", shop, "--intervals", "3", "--warm-up", "-1", "--json")
    assert (answer.code, asked) == (2, [])
    problems = " ".join(answer.reported["problems"])
    assert "--intervals" in problems
    assert "--warm-up" in problems


def test_a_campaign_is_traced_as_it_was_played_and_what_grew_is_in_its_folder(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by its id; a flag that would change what is played is refused."""
    folder = write_sampled_campaign(here / "results", lambda _hour: {"target.threads": 4.0})
    asked = found(monkeypatch, judged(trace(LEAK)))
    refused = command("allocations", CAMPAIGN_ID, "--nodes", "lean", "--json")
    assert (refused.code, asked) == (2, [])
    (problem,) = refused.reported["problems"]
    assert problem.startswith("--nodes changes what the campaign played")
    answer = command("allocations", CAMPAIGN_ID, "--json")
    assert answer.code == 1
    assert Path(answer.reported["file"]) == folder.growth_file.resolve()
    assert read_growth_places(folder.growth_file) == judged(trace(LEAK))
