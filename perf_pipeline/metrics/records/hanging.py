"""Workflows that hang: in flight until the end of the load, far longer than any that was answered.

What never ends has no service time, and no failure is recorded of it. Without this search a level
in which half of the slots stand still would be one of the other half.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.metrics.types.records import Hanging
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, Outcome

if TYPE_CHECKING:
    from perf_pipeline.samples.level_records import LevelRecords

MIN_S = 1.0
"""A workflow that was in flight for less is not called hanging."""

TIMES_LONGEST = 10
"""It must have been in flight this many times as long as the longest that was answered."""

NAMED_MAX = 3


def hanging_of(records: LevelRecords, slots: int) -> Hanging | None:
    """Return which workflows of the load hang; None if none does, or nothing can be compared.

    Workflows of processes that were ended are not among them: those are named by themselves. Where
    the cold starts alone were answered, all slots may have to take turns, so the longest of them
    counts once for each slot.

    Args:
        records: The log and records of a level.
        slots: Of all workers.
    """
    done = [one["worker"] for one in records.log["workers"] if one["reason"] == "done"]
    started = records.frame.filter(
        pl.col("worker").is_in(done), (pl.col("flags") & (NOT_STARTED | TIMES_LOST)) == 0
    ).with_columns(lasted_ns=pl.col("end_ns") - pl.col("start_ns"))
    answered = started.filter(pl.col("outcome").is_in([int(Outcome.OK), int(Outcome.ERROR)]))
    is_load = (pl.col("flags") & COLD) == 0
    load = answered.filter(is_load)
    longest_s = _greatest(load if len(load) else answered, "lasted_ns") / 1e9
    if not len(answered):
        return None
    limit_s = max(MIN_S, TIMES_LONGEST * longest_s * (1 if len(load) else slots))
    hung = started.filter(
        is_load, pl.col("outcome") == Outcome.ABANDONED, pl.col("lasted_ns") >= limit_s * 1e9
    ).sort("start_ns")
    if not len(hung):
        return None
    phases_ns = records.log["phases_ns"]
    stop_ns = phases_ns.get("drain", (None,))[0] or phases_ns.get("steady", (None,))[-1]
    end_ns = min(stop_ns or 2**63, _greatest(hung, "end_ns"))
    last_answer_ns = max(_greatest(load, "end_ns"), records.log["go_ns"] or 0)
    return Hanging(
        workflows=len(hung),
        slots=slots,
        numbers=tuple(hung["number"].head(NAMED_MAX).to_list()),
        in_flight_s=_least(hung, "lasted_ns") / 1e9,
        longest_answered_s=longest_s,
        answered=len(load),
        silent_s=max(0, end_ns - last_answer_ns) / 1e9,
        limit_s=limit_s,
    )


def _greatest(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].max() or 0) if len(frame) else 0  # type: ignore[arg-type]


def _least(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].min() or 0)  # type: ignore[arg-type]
