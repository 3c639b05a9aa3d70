"""The command histograms: what several runs counted, as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.samples.manifest import write_manifest
from perf_pipeline.samples.record import COLD, Outcome
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from tests.manifests import make_manifest
from tests.simulated_level import SimulatedWorker, at_s, write_level

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.simulated_level import Row
    from tests.unit.cli.conftest import Answer


def _run(
    here: Path, name: str, rows: Sequence[Row], levels: Sequence[str] = ("00-2",)
) -> RunFolder:
    folder = RunFolder(here / "results" / name)
    folder.begin("simulated")
    write_manifest(folder, make_manifest(plan_hashes=dict.fromkeys(levels, "abc")))
    for level in levels:
        path = folder.root / "levels" / level
        write_level(path, [SimulatedWorker(rows)], slots=2)
        log = read_json(path / "level.json")
        log["plan"]["label"] = level.partition("-")[2]
        write_json(path / "level.json", log)
    return folder


FAST = [at_s(n, 2 + n / 50, 2 + n / 50 + 0.010, slot=n % 2) for n in range(150)]
SLOW = [at_s(n, 6 + n / 50, 6 + n / 50 + 0.500, slot=n % 2) for n in range(50)]
REST = [
    at_s(-1, -5, -1, flags=COLD),
    at_s(900, 0.2, 1.5),  # warm-up
    at_s(901, 3, 30, outcome=Outcome.ABANDONED),
]


@pytest.mark.parametrize("written", [True, False])
def test_runs_are_merged_from_what_they_wrote_or_from_their_records(
    command: Callable[..., Answer], here: Path, *, written: bool
) -> None:
    """200 times, a quarter of them 0.5 s, and one that had not ended after 7 s of the phase."""
    for folder in (_run(here, "a", FAST), _run(here, "b", SLOW + REST)):
        if written:
            measure(folder)
            assert (folder.root / "levels/00-2/histograms.bin").stat().st_size > 40

    answer = command("histograms", "a", "b", "a", "--json")

    assert answer.code == 0
    (row,) = answer.reported["histograms"]
    assert answer.reported["runs"] == ["a", "b"]
    assert (row["target"], row["level"], row["family"]) == ("control (code)", "2", "transformation")
    assert (row["count"], row["not_ended"], row["max_s"]) == (201, 1, 7.0)
    p50, p90, _, p99, p999 = row["percentiles"]
    assert p50["value_s"] == pytest.approx(0.010, rel=0.004)
    assert (p90["value_s"], p99["value_s"]) == pytest.approx((0.5, 0.5), rel=0.004)
    assert (p50["samples_beyond"], p90["samples_beyond"], p99["at_least"]) == (100, 20, False)
    assert (p999["value_s"], p999["at_least"]) == (7.0, True)
    assert "p99.9 ≥ 7 s*" in command("histograms", "a", "b").out


def test_levels_are_apart_unless_they_are_asked_for_as_one(
    command: Callable[..., Answer], here: Path
) -> None:
    _run(here, "a", FAST, levels=("00-2", "01-4"))
    _run(here, "b", FAST)

    one = command("histograms", "a", "b", "--json").reported["histograms"]
    phase = command("histograms", "a", "--phase", "ramp_up", "--json").reported["histograms"]
    together = command("histograms", "a", "b", "--all-levels", "--json").reported["histograms"]

    assert [(row["level"], row["count"]) for row in one] == [("2", 300), ("4", 150)]
    assert [(row["level"], row["count"]) for row in together] == [("all", 450)]
    assert phase == []


def test_a_damaged_file_is_named_and_nothing_is_merged(
    command: Callable[..., Answer], here: Path
) -> None:
    folder = _run(here, "a", FAST)
    measure(folder)
    path = folder.root / "levels/00-2/histograms.bin"
    path.write_bytes(path.read_bytes()[:-1])

    answer = command("histograms", "a", "--json")

    assert answer.code == 2
    assert answer.reported["error"] == "HistogramError"
    assert f"{path}: the block at byte 0 is cut off or damaged" in answer.reported["problems"][0]
