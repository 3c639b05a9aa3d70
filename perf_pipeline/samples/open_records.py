"""Every arrival of an open level has a record, also those of which no worker wrote one.

The schedule is known before the level and lies in its folder, so what is missing can be counted
exactly: scheduled = ok + error + timeout + dropped + abandoned, also when processes were killed.

Workers take numbers in order. So of a worker's numbers without a record, as many as it had
started and not recorded were started: they went with its last half second, and their times with
them. The others were never started. What had waited longer than the start timeout when the load
ended was dropped, the rest abandoned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from perf_pipeline.samples.ended_because import STOPPED_BY_US, EndedBecause
from perf_pipeline.samples.planned_levels import read_schedule
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, ErrorClass, Outcome
from perf_pipeline.samples.run_folder import STREAMS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt


def read_intended(folder: Path) -> npt.NDArray[np.int64]:
    """Return what ``read_schedule`` does as an array: int64[n]."""
    return np.asarray(read_schedule(folder), dtype="<i8")


def read_streams(folder: Path) -> npt.NDArray[np.int64]:
    """Return the stream of each workflow of the level in ``folder``: int64[n]; empty without."""
    path = folder / STREAMS
    return np.fromfile(path, dtype="<i8") if path.exists() else np.empty(0, dtype=np.int64)


def complete(
    frame: pl.DataFrame, folder: Path, log: Mapping[str, Any], missing: Mapping[int, int]
) -> pl.DataFrame:
    """Return the records of an open level with one for every arrival of the schedule.

    Args:
        frame: The records that there are, all workers'.
        folder: The level's folder.
        log: ``level.json``.
        missing: Worker to how many workflows it had started of which nothing is known.

    Returns:
        ``frame``, and below it what was made. A workflow that was cut short has the intended
        start of the plan: what its worker or its stamps left holds its start alone.
    """
    intended_ns, go_ns = read_intended(folder), log["go_ns"]
    if go_ns is None or not len(intended_ns):
        return frame  # nothing ever arrived
    frame = _with_intended(frame, intended_ns + go_ns)
    numbers = frame.filter((pl.col("flags") & COLD) == 0)["number"].to_numpy()
    known = np.zeros(len(intended_ns), dtype=bool)
    known[numbers] = True
    if known.all():
        return frame
    end_ns = _end_ns(frame, log)
    made = [
        _made(worker, np.flatnonzero(~known[worker :: log["plan"]["processes"]]), lost, log)
        for worker, lost in missing.items()
    ]
    shown = pl.concat(made).with_columns(
        intended_start_ns=pl.Series(
            np.concatenate([(intended_ns + go_ns)[one["number"].to_numpy()] for one in made])
        )
    )
    waited = pl.max_horizontal(pl.lit(end_ns), pl.col("intended_start_ns"))
    timeout_ns = int(log["plan"]["arrivals"]["start_timeout_s"] * 1e9)
    late = (pl.col("flags") == NOT_STARTED) & (end_ns - pl.col("intended_start_ns") > timeout_ns)
    cycle = np.fromfile(next(folder.glob("worker-*.kinds")), dtype="<i8")
    shown = shown.with_columns(
        start_ns=waited,
        end_ns=waited,
        outcome=pl.when(late).then(int(Outcome.DROPPED)).otherwise(pl.col("outcome")),
        kind=pl.Series(cycle[shown["number"].to_numpy() % len(cycle)]),
        level=pl.lit(log["plan"]["index"]),
        slot=pl.lit(0),
    )
    return pl.concat([frame, shown.select(frame.columns).cast(frame.schema)])


def _with_intended(frame: pl.DataFrame, intended_ns: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Give what was cut short its intended start; every other record keeps its own."""
    is_cut = (pl.col("intended_start_ns") == pl.col("start_ns")) & (pl.col("number") >= 0)
    numbers = np.maximum(frame["number"].to_numpy(), 0)
    planned = pl.Series(intended_ns[np.minimum(numbers, len(intended_ns) - 1)])
    return frame.with_columns(
        intended_start_ns=pl.when(is_cut).then(planned).otherwise(pl.col("intended_start_ns"))
    )


def _end_ns(frame: pl.DataFrame, log: Mapping[str, Any]) -> int:
    """Return until when arrivals could start: the end of the drain, or the last thing known."""
    _, end_ns = log["phases_ns"].get("drain", (None, None))
    if end_ns is None:
        end_ns = max(int(frame["end_ns"].max() or 0), log["go_ns"])  # type: ignore[arg-type]
    return int(end_ns)


def _made(
    worker: int, unknown: npt.NDArray[np.int64], lost: int, log: Mapping[str, Any]
) -> pl.DataFrame:
    """Return one worker's missing records, without their times."""
    reasons = {entry["worker"]: entry["reason"] for entry in log["workers"]}
    stopped_by_us = (
        log["ended_because"] == EndedBecause.INTERRUPTED
        or not reasons
        or reasons.get(worker, "").startswith(STOPPED_BY_US)
    )
    crashed = not stopped_by_us
    started = np.arange(len(unknown)) < lost
    lost_as = Outcome.ERROR if crashed else Outcome.ABANDONED
    error = ErrorClass.TARGET_CRASH if crashed else ErrorClass.NONE
    return pl.DataFrame(
        {
            "worker": np.full(len(unknown), worker),
            "number": worker + unknown * log["plan"]["processes"],
            "outcome": np.where(started, int(lost_as), int(Outcome.ABANDONED)),
            "error_class": np.where(started, int(error), int(ErrorClass.NONE)),
            "flags": np.where(started, TIMES_LOST, NOT_STARTED),
        }
    )
