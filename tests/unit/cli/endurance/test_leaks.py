"""The command leaks: one object a line for each signal of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from perf_pipeline.campaign.campaign_judging import judge_campaign
from perf_pipeline.samples.campaign.signal_limits import (
    SignalLimit,
    SignalLimits,
    write_signal_limits,
)
from tests.integration.readme.readme import README
from tests.sampled_campaign import BOOT_ID, CAMPAIGN_ID, write_sampled_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer

HOURS = np.arange(0.0, 24.0, 1.0 / 30.0)


@pytest.fixture
def signals(here: Path) -> Path:
    """A file with a leak of 10 % a day and a limit, and a signal that stays as it is."""
    noise = np.random.default_rng(1).normal(0.0, 0.2, len(HOURS))
    lines = [
        json.dumps(
            {
                "name": name,
                "seconds": (3600.0 * HOURS).tolist(),
                "value": (100.0 + growth * HOURS + noise).tolist(),
                "workflows": (1000.0 * HOURS).tolist(),
                "limit": 200.0,
            }
        )
        for name, growth in (("leaking", 10.0 / 24.0), ("quiet", 0.0))
    ]
    (here / "signals.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return here / "signals.jsonl"


def _objects(answer: Answer) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.out.splitlines()]


def test_a_signal_is_one_object_a_line(command: Callable[..., Answer], signals: Path) -> None:
    answer = command("leaks", str(signals), "--json")
    assert (answer.code, answer.err) == (0, "")
    leaking, quiet = _objects(answer)
    assert (leaking["name"], leaking["verdict"]) == ("leaking", "leak")
    assert leaking["interval"][0] < 10.0 / 24.0 < leaking["interval"][1]
    assert leaking["growth_per_hour"] == pytest.approx(leaking["growth_per_1000_workflows"])
    assert leaking["smallest_visible"] > 0.0
    assert leaking["hours_to_limit"] == pytest.approx(216.0, rel=0.05)
    assert (quiet["name"], quiet["verdict"]) == ("quiet", "clean")
    assert command("leaks", str(signals), "--json").out == answer.out


def test_samples_a_line_and_csv_give_the_same(
    command: Callable[..., Answer], signals: Path, here: Path
) -> None:
    samples, rows = [], ["name,seconds,value,workflows,limit"]
    for line in signals.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        for at in zip(one["seconds"], one["value"], one["workflows"], strict=True):
            keys = dict(zip(("seconds", "value", "workflows"), at, strict=True))
            samples.append(json.dumps({"name": one["name"], "limit": 200.0, **keys}))
            rows.append(",".join([one["name"], *map(repr, at), "200"]))
    (here / "samples.jsonl").write_text("\n".join(samples), encoding="utf-8")
    (here / "table.csv").write_text("\n".join(rows), encoding="utf-8")
    whole, by_sample, table = (
        command("leaks", file, "--json").out
        for file in (str(signals), "samples.jsonl", "table.csv")
    )
    assert whole == by_sample == table


def test_people_read_verdict_growth_and_limit(
    command: Callable[..., Answer], signals: Path
) -> None:
    out = command("leaks", str(signals)).out
    assert "leaking: leak: it grows by more than 0.5 % in 24 h" in out
    assert "  grows by 0.4" in out
    assert " an hour (95 % interval " in out
    assert "per 1000 workflows" in out
    assert "  reaches its limit of 200 in 2" in out
    assert "quiet: clean: growth of 2 % or more in 24 h is excluded\n" in out


def test_all_that_is_wrong_with_the_file_is_named_at_once(
    command: Callable[..., Answer], here: Path
) -> None:
    lines = [
        '{"name": "a", "seconds": [1, 2], "value": [1]}',
        '{"seconds": [1], "value": [NaN], "limit": "x"}',
        '{"name": "b", "seconds": [2, 1], "value": [1, 1]}',
        "[]",
        '{"name": "c"}',
        '{"name": "d", "seconds": 1, "value": 1, "workflows": 1}',
        '{"name": "d", "seconds": 2, "value": 1}',
    ]
    (here / "x.jsonl").write_text("\n".join(lines), encoding="utf-8")
    answer = command("leaks", "x.jsonl", "--json")
    assert answer.code == 2
    assert answer.reported["error"] == "SeriesFileError"
    assert answer.reported["problems"] == [
        "x.jsonl: line 1 has seconds 2 values, value 1 values; they must be of one length",
        "x.jsonl: line 2 has no name",
        "x.jsonl: line 2 has the limit 'x', not a finite number",
        "x.jsonl: line 2 has value[0] = nan, not a finite number; leave out what was not measured",
        "x.jsonl: line 4 is no object; each line is one with name, seconds and value",
        "x.jsonl: line 5 has no seconds, a list of numbers or a number",
        "x.jsonl: line 5 has no value, a list of numbers or a number",
        "x.jsonl: line 3: seconds of signal 'b' go back from 2 to 1; a restart begins a new signal",
        "x.jsonl: signal 'd' has 1 workflows for 2 values; give them for every sample, or for none",
    ]
    assert command("leaks", "missing.csv").code == 2
    (here / "x.csv").write_text("seconds,value\n0,a\n5,\n", encoding="utf-8")
    assert command("leaks", "x.csv", "--json").reported["problems"] == [
        "x.csv: line 2 has value = 'a', not a finite number; leave out what was not measured",
        "x.csv: line 3 has no value, a list of numbers or a number",
    ]


def leaking(hour: float) -> dict[str, float]:
    """Return a heap that leaks 10 % a day, descriptors with a limit, and a process that leaks."""
    return {
        "target.heap_blocks": 300_000.0 + 1250.0 * hour + 500.0 * (7 * hour % 0.1),
        "target.open_files": float(round(100.0 + 40.0 * hour)),
        "twin.heap_blocks": 300_000.0 + 2500.0 * hour + 500.0 * (7 * hour % 0.1),
    }


@pytest.mark.parametrize("name", [CAMPAIGN_ID, f"endurance-{CAMPAIGN_ID}", "{folder}"])
def test_a_campaign_has_the_verdicts_by_which_it_was_judged(
    name: str, command: Callable[..., Answer], here: Path
) -> None:
    """With a gap, which is left out, and a limit; by its id, its name and its folder."""
    folder = write_sampled_campaign(here / "results", leaking, hours=5, gaps_s={3: 900.0})
    limits = {"target.open_files": SignalLimit(1024.0, "ulimit -n")}
    write_signal_limits(folder.limits_file(BOOT_ID), SignalLimits(limits))
    answer = command("leaks", name.format(folder=folder.root), "--json")
    assert (answer.code, answer.err) == (0, "")
    verdicts = judge_campaign(folder)
    assert len(verdicts.left_out) == 1
    stored = json.loads((folder.root / "verdicts.json").read_text(encoding="utf-8"))
    assert _objects(answer) == stored["leaks"]
    assert stored["leaks"][1]["limit"] == 1024.0
    refused = command("leaks", CAMPAIGN_ID, "--hour-seconds", "60", "--json")
    assert refused.code == 2


def test_the_signals_of_one_hour_are_read_from_its_file(
    command: Callable[..., Answer], here: Path
) -> None:
    folder = write_sampled_campaign(here / "results", leaking, hours=1)
    found = _objects(command("leaks", str(folder.signals_file(0)), "--json"))
    assert [one["name"] for one in found] == list(leaking(0.0))
    assert [one["verdict"] for one in found] == [
        one.verdict for one in judge_campaign(folder).leaks
    ]
    assert found[0]["growth_per_1000_workflows"] is not None
    (here / "x.jsonl").write_text('{"seconds": 1, "workflows": 2, "values": {"a": "x"}}\n')
    (problem,) = command("leaks", "x.jsonl", "--json").reported["problems"]
    assert "line 1 has value = 'x', not a finite number" in problem


def test_the_output_in_the_readme_is_what_the_command_prints(
    command: Callable[..., Answer], here: Path
) -> None:
    """A sample a minute for 24 hours at 10 workflows a second."""
    lines = []
    for minute in range(24 * 60):
        signals = {
            "target.heap_blocks": (500_000 + 50_000 * minute / 1440 + 300 * (minute % 7), None),
            "target.open_files": (40 + minute % 3, 1024),
        }
        for name, (value, limit) in signals.items():
            sample = {"name": name, "seconds": 60 * minute, "value": value, "limit": limit}
            lines.append(json.dumps({**sample, "workflows": 600 * minute}))
    (here / "signals.jsonl").write_text("\n".join(lines), encoding="utf-8")
    printed = command("leaks", "signals.jsonl").out
    assert f"```text\n$ perf-pipeline leaks signals.jsonl\n{printed}```\n" in README
