"""The command detect: one object a line for each series of a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from perf_pipeline.selftest.detect import stepped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer


@pytest.fixture
def history(here: Path) -> Path:
    """A file with a step, one that the last three values show, and a quiet series."""
    rng = np.random.default_rng(2)
    series = {
        "stepped": stepped(rng, 60, 40, 5.0),
        "recent": stepped(rng, 60, 3, 6.0),
        "quiet": stepped(rng, 60, 40, 0.0),
    }
    lines = [
        json.dumps({"name": name, "value": values.tolist(), "unit": "s"})
        for name, values in series.items()
    ]
    (here / "history.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return here / "history.jsonl"


def _objects(answer: Answer) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in map(json.loads, answer.out.splitlines())}


def test_a_series_is_one_object_a_line(command: Callable[..., Answer], history: Path) -> None:
    answer = command("detect", str(history), "--json")

    assert (answer.code, answer.err) == (0, "")
    found = _objects(answer)
    assert list(found) == ["stepped", "recent", "quiet"]
    for one in found.values():
        assert list(one) == ["name", "change_points", "fast_change_points", "milliseconds"]
        assert one["milliseconds"] > 0
    (step,) = found["stepped"]["change_points"]
    assert list(step) == ["index", "effect", "interval"]
    assert step["index"] == pytest.approx(60, abs=1)
    assert step["interval"][0] < step["effect"] < step["interval"][1]
    assert found["stepped"]["fast_change_points"] == [step]
    assert found["recent"]["change_points"] == []
    assert [one["index"] for one in found["recent"]["fast_change_points"]] == [60]
    assert found["quiet"]["change_points"] == found["quiet"]["fast_change_points"] == []


def test_the_same_file_gives_the_same_answer(command: Callable[..., Answer], history: Path) -> None:
    first, second = (_objects(command("detect", str(history), "--json")) for _ in range(2))
    for one in (*first.values(), *second.values()):
        del one["milliseconds"]
    assert first == second


def test_csv_gives_the_same_as_json_lines(command: Callable[..., Answer], history: Path) -> None:
    rows = ["name,value"]
    for line in history.read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        rows += [f"{one['name']},{value!r}" for value in one["value"]]
    table = history.with_suffix(".csv")
    table.write_text("\n".join(rows), encoding="utf-8")
    ours, theirs = (_objects(command("detect", str(f), "--json")) for f in (history, table))
    for one in (*ours.values(), *theirs.values()):
        del one["milliseconds"]
    assert ours == theirs


def test_people_read_the_level_the_ratio_and_the_tier(
    command: Callable[..., Answer], history: Path, here: Path
) -> None:
    out = command("detect", str(history)).out
    assert "stepped: 1 change point in 100 values\n  new level from value 60 on, x 1.1" in out
    assert "recent: 1 change point in 63 values" in out
    assert ", not confirmed yet\n" in out
    assert "quiet: no change point in 100 values\n" in out
    drift = 1.0 + 0.1 * np.arange(200) / 200 + np.random.default_rng(1).normal(0, 0.01, 200)
    (here / "x.csv").write_text("p99\n" + "\n".join(map(str, drift)), encoding="utf-8")
    out = command("detect", "x.csv").out
    assert (
        "p99: no change point in 200 values\n"
        "  drifts since value 0: x 1.099 (95 % interval 1.094 to 1.103)" in out
    )


def test_all_that_is_wrong_with_the_file_is_named_at_once(
    command: Callable[..., Answer], here: Path
) -> None:
    (here / "x.jsonl").write_text('{"name": "a", "value": [null]}\n{}\n', encoding="utf-8")
    answer = command("detect", "x.jsonl", "--json")
    assert answer.code == 2
    assert answer.reported["error"] == "SeriesFileError"
    assert [one.split(" has ")[0] for one in answer.reported["problems"]] == [
        "x.jsonl: line 1",
        "x.jsonl: line 2",
        "x.jsonl: line 2",
    ]
    assert command("detect", "missing.csv").code == 2
