"""Every arrival of an open level has a record, also those of which no worker wrote one."""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline.samples.level_records import LevelRecords, read_level
from perf_pipeline.samples.record import NOT_STARTED, TIMES_LOST, ErrorClass, Outcome
from perf_pipeline.samples.run_folder import INTENDED
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, at_s, write_level

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ARRIVALS = {"offered": "1/s (constant)", "schedule": "constant", "slots": 2, "start_timeout_s": 3.0}


def open_level(
    folder: Path,
    workers: Sequence[SimulatedWorker],
    intended_s: Sequence[float],
    *,
    drain_ends_s: float = 10.0,
    **more: object,
) -> LevelRecords:
    """Write a level of which workflow n was to start at ``intended_s[n]``, and read it back."""
    write_level(folder, workers, slots=1, **more)  # type: ignore[arg-type]
    path = folder / "level.json"
    log = json.loads(path.read_text())
    log["plan"] |= {"loop": "open", "arrivals": ARRIVALS}
    log["phases_ns"]["drain"] = (GO_NS + SECOND, GO_NS + round(drain_ends_s * SECOND))
    path.write_text(json.dumps(log))
    due = array("q", [round(at * SECOND) for at in intended_s])
    (folder / INTENDED).write_bytes(due.tobytes())
    return read_level(folder, 1)


def fates(records: LevelRecords) -> list[tuple[int, int, int, float, float]]:
    """Return (number, outcome, flags, intended, end) of every record, s after the go."""
    rows = records.frame.sort("number").select(
        "number",
        "outcome",
        "flags",
        intended=(pl.col("intended_start_ns") - GO_NS) / SECOND,
        end=(pl.col("end_ns") - GO_NS) / SECOND,
    )
    return rows.rows()


def test_what_was_never_started_is_dropped_or_abandoned_by_how_long_it_had_waited(
    tmp_path: Path,
) -> None:
    """The load ended at 10 s, the start timeout is 3 s: due at 6 is dropped, at 8 abandoned.

    What was due at 20 s had not even arrived.
    """
    done = SimulatedWorker([at_s(0, 0, 1)])
    records = open_level(tmp_path, [done], [0, 6, 8, 20])
    assert fates(records) == [
        (0, Outcome.OK, 0, 0.0, 1.0),
        (1, Outcome.DROPPED, NOT_STARTED, 6.0, 10.0),
        (2, Outcome.ABANDONED, NOT_STARTED, 8.0, 10.0),
        (3, Outcome.ABANDONED, NOT_STARTED, 20.0, 20.0),
    ]


@pytest.mark.parametrize("interrupted", [False, True])
def test_what_a_killed_worker_took_with_it_is_counted_and_its_times_are_not_known(
    tmp_path: Path, *, interrupted: bool
) -> None:
    """Worker 0 of 2 had recorded 0, was executing 8, and lost two more: 2 and 4. 6 never began."""
    killed = SimulatedWorker(
        [at_s(0, 0, 1)],
        reason="killed by SIGKILL",
        in_flight=[(0, 8, GO_NS + 4 * SECOND)],
        lost={0: 2},
        closed=False,
    )
    other = SimulatedWorker([at_s(n, n, n + 0.5) for n in (1, 3, 5, 7, 9)])
    ended = "interrupted" if interrupted else "worker lost"
    records = open_level(
        tmp_path, [killed, other], range(10), drain_ends_s=7.0, ended_because=ended
    )
    lost = Outcome.ABANDONED if interrupted else Outcome.ERROR
    found = {number: (outcome, flags) for number, outcome, flags, *_ in fates(records)}
    assert [found[number] for number in (2, 4, 6, 8)] == [
        (lost, TIMES_LOST),
        (lost, TIMES_LOST),
        (Outcome.ABANDONED, NOT_STARTED),
        (lost, 0),
    ]
    assert len(found) == len(records.frame) == 10
    crashed = records.frame.filter(pl.col("error_class") == int(ErrorClass.TARGET_CRASH))
    assert len(crashed) == (0 if interrupted else 3)


def test_what_was_cut_short_has_the_intended_start_of_the_plan(tmp_path: Path) -> None:
    """Its worker and its stamps have its start alone: due at 1 s, begun at 4."""
    killed = SimulatedWorker(in_flight=[(0, 0, GO_NS + 4 * SECOND)], closed=False, reason="hung")
    records = open_level(tmp_path, [killed], [1.0])
    row = records.frame.row(0, named=True)
    assert row["intended_start_ns"] == GO_NS + SECOND
    assert row["start_ns"] == GO_NS + 4 * SECOND


def test_a_level_whose_supervisor_was_killed_too_is_still_complete(tmp_path: Path) -> None:
    done = SimulatedWorker([at_s(0, 0, 1)], closed=False)
    records = open_level(tmp_path, [done], [0, 0.5, 5], supervisor_killed=True, drain_ends_s=1.0)
    assert [outcome for _, outcome, *_ in fates(records)] == [
        Outcome.OK,
        Outcome.ABANDONED,
        Outcome.ABANDONED,
    ]
