"""Fixed work: what its time shows of a machine, and the folder in which each round is stored."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.host.calibration import FSYNC_BUDGET_S, FSYNCS, UNITS, calibrate, fixed_work_s
from perf_pipeline.host.level_calibration import FILE, LevelCalibration
from perf_pipeline.samples.host_record import Calibration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def proc(folder: Path) -> Path:
    """Make the files of the kernel, without pressure files."""
    (folder / "stat").write_text("cpu 100 0 0 900 0 0 0 0 0 0\n")
    return folder


def ticking(step_ns: int) -> Callable[[], int]:
    """Return a clock that goes on by a step each time it is read."""
    ticks = itertools.count(0, step_ns)
    return lambda: next(ticks)


def test_a_round_is_short_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The shortest of five, because other programs share the machine: 0.025 s alone."""
    rounds = [calibrate(tmp_path) for _ in range(5)]

    assert min(one.took_s for one in rounds) < 0.3
    assert {one.fsyncs for one in rounds} == {FSYNCS}
    assert all(1 < one.core_ns_per_unit < 2000 for one in rounds)
    assert list(tmp_path.iterdir()) == []


def test_speed_is_counted_in_cpu_time_and_the_wait_for_a_core_beside_it(tmp_path: Path) -> None:
    """On virtual clocks: a slice takes 4 ms by the clock and 3 ms of a core, so a quarter waits."""
    reported = calibrate(
        tmp_path,
        clock_ns=ticking(4_000_000),
        cpu_clock_ns=ticking(3_000_000),
        proc=proc(tmp_path),
    )

    assert reported.core_ns_per_unit == pytest.approx(3e6 / UNITS)
    assert reported.waited_ratio == pytest.approx(0.25)
    assert (reported.fsync_s, reported.fsync_max_s) == (0.004, 0.004)
    assert reported.stalled_percent == {"cpu": None, "memory": None, "io": None}
    assert reported.steal_percent is None


def test_more_cpu_time_than_time_is_no_negative_wait(tmp_path: Path) -> None:
    """The two clocks are read one after the other."""
    clocks = {"clock_ns": ticking(1_000_000), "cpu_clock_ns": ticking(1_000_010)}
    assert calibrate(tmp_path, **clocks, proc=proc(tmp_path)).waited_ratio == 0.0


def test_a_slow_disk_is_not_loaded_further(tmp_path: Path) -> None:
    """100 ms a write: the second is over the budget."""
    reported = calibrate(tmp_path, clock_ns=ticking(100_000_000), proc=proc(tmp_path))

    assert reported.fsyncs == 2
    assert reported.fsync_s == pytest.approx(0.1)
    assert reported.fsyncs * 0.1 >= FSYNC_BUDGET_S


def test_a_folder_that_cannot_be_written_to_is_a_gap_with_its_reason(tmp_path: Path) -> None:
    reported = calibrate(tmp_path / "gone")

    assert (reported.fsync_s, reported.fsync_max_s, reported.fsyncs) == (None, None, 0)
    assert reported.problem == f"{tmp_path / 'gone'}: no such file or directory"
    assert reported.core_ns_per_unit > 1


def round_of(took_s: float) -> Calibration:
    """Return a round that can be reported from others by how long it took."""
    return Calibration(1e3 * took_s, 0.0, 0.001, 0.001, 8, {}, 0.0, took_s)


def reported_of(folder: Path) -> dict[str, Any]:
    """Return a level's file."""
    reported: dict[str, Any] = json.loads((folder / FILE).read_text())
    return reported


def test_a_round_between_two_levels_is_the_ones_after_and_the_others_before(
    tmp_path: Path,
) -> None:
    """The first round of a run is the quicker of two attempts."""
    folders = [tmp_path / "00", tmp_path / "01"]
    clock, waited = itertools.count(0, 10), itertools.count(0, 1)
    taken = iter([0.025, 0.024, 0.0241, 0.0242])
    calibrations = LevelCalibration(
        tmp_path,
        take=lambda _disk: round_of(next(taken)),
        stalled=lambda: {"cpu": float(next(waited)), "io": None},
        now_s=lambda: float(next(clock)),
    )
    for folder in folders:
        folder.mkdir()
        calibrations.before(folder)
        assert reported_of(folder)["after"] is None
        calibrations.ended()
    calibrations.after_last()

    rounds = [
        (reported_of(folder)["before"]["took_s"], reported_of(folder)["after"]["took_s"])
        for folder in folders
    ]
    assert rounds == [(0.024, 0.0241), (0.0241, 0.0242)]
    assert [reported_of(f)["stalled_percent"] for f in folders] == [{"cpu": 10.0, "io": None}] * 2
    assert [one.took_s for one in calibrations.rounds] == [0.024, 0.0241, 0.0242]


@pytest.mark.parametrize(
    ("later", "took_s", "pauses"),
    [
        ([0.026], 0.026, 0),  # 8 % slower: nothing
        ([0.040, 0.024], 0.024, 1),  # a moment
        ([0.040, 0.041, 0.039, 0.042], 0.039, 3),  # what lasts
    ],
)
def test_a_disturbance_that_is_over_at_once_invalidates_no_level(
    tmp_path: Path, later: list[float], took_s: float, pauses: int
) -> None:
    taken, slept = iter([0.025, 0.024, *later]), list[float]()
    calibrations = LevelCalibration(
        tmp_path, take=lambda _disk: round_of(next(taken)), sleep=slept.append
    )
    calibrations.after_last()
    calibrations.after_last()

    assert [one.took_s for one in calibrations.rounds] == [0.024, took_s]
    assert len(slept) == pauses
    assert next(taken, None) is None


def test_the_fixed_work_alone_is_as_fast_as_its_fastest_slice() -> None:
    """On a virtual clock: slices of 9, 4 and 7 ms."""
    ticks = iter([0, 9_000_000, 10_000_000, 14_000_000, 20_000_000, 27_000_000])
    assert fixed_work_s(3, lambda: next(ticks)) == 0.004
