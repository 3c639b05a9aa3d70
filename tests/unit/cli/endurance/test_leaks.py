"""The command leaks: one object a line for each signal of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

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
