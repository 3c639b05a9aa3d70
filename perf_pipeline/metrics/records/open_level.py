"""From the records of an open level to what arrived, what became of it, and who was late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.survival.window_times import scheduled_within
from perf_pipeline.metrics.types.open_load import ArrivalSecond, Lag, OpenLoad
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.level_records import LevelRecords, read_level
from perf_pipeline.samples.open_records import read_intended
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, Outcome
from perf_pipeline.samples.run_folder import CONTROL

if TYPE_CHECKING:
    from pathlib import Path

SECOND_NS = 1_000_000_000


def open_load_of(records: LevelRecords, folder: Path, window: tuple[int, int]) -> OpenLoad:
    """Summarise the load of an open level.

    Args:
        records: Its records, one for every arrival.
        folder: Its folder.
        window: The steady phase, CLOCK_MONOTONIC ns.
    """
    arrivals = records.log["plan"]["arrivals"]
    warm = records.frame.filter((pl.col("flags") & COLD) == 0)
    started = warm.filter((pl.col("flags") & (NOT_STARTED | TIMES_LOST)) == 0)
    length_s = (window[1] - window[0]) / 1e9
    due = warm.filter(pl.col("intended_start_ns").is_between(*window, closed="left"))
    left = warm.filter(
        pl.col("end_ns").is_between(*window, closed="left"),
        pl.col("outcome") != int(Outcome.ABANDONED),
    )
    control_lag, why_not = _control_lag(folder)
    return OpenLoad(
        offered=arrivals["offered"],
        schedule=arrivals["schedule"],
        slots=arrivals["slots"],
        start_timeout_s=arrivals["start_timeout_s"],
        scheduled=len(warm),
        offered_per_s=len(due) / length_s if length_s else None,
        left_per_s=len(left) / length_s if length_s else None,
        never_started=int((warm["flags"] & NOT_STARTED != 0).sum()),
        checked=len(started),
        unexplained=_unexplained(started, folder, records.log["go_ns"]),
        lag=lag_within(started, *window),
        control_lag=control_lag,
        control_why_not=why_not,
        seconds=_seconds(warm, records.log),
    )


def lag_within(frame: pl.DataFrame, start_ns: int, end_ns: int) -> Lag:
    """Summarise how late those started that were to start in a window."""
    lag = (
        scheduled_within(frame, start_ns, end_ns)
        .filter((pl.col("flags") & NOT_STARTED) == 0)
        .select(lag=(pl.col("start_ns") - pl.col("intended_start_ns")) / 1e9)["lag"]
    )
    return Lag(
        samples=len(lag),
        p50_s=lag.quantile(0.5, "equiprobable"),  # polars' name of the nearest rank
        p99_s=lag.quantile(0.99, "equiprobable"),
        max_s=lag.max(),  # type: ignore[arg-type] # of floats
    )


def _unexplained(started: pl.DataFrame, folder: Path, go_ns: int | None) -> int:
    """Count the records whose times do not add up, or are not the plan's.

    Response time = lag + service time is what the three times give by themselves; so what is
    checked is that they are in order, and that the first is what was planned before the run.
    """
    intended_ns = read_intended(folder)
    if go_ns is None or not len(intended_ns):
        return len(started)
    planned = pl.Series(intended_ns[started["number"].to_numpy()] + go_ns)
    lag, service = (
        started["start_ns"] - started["intended_start_ns"],
        started["end_ns"] - started["start_ns"],
    )
    adds_up = (started["end_ns"] - planned == lag + service) & (lag >= 0) & (service >= 0)
    return int((~adds_up).sum())


def _control_lag(folder: Path) -> tuple[Lag | None, str]:
    """Return the generator's own lag, or why it is not known."""
    try:
        records = read_level(folder / CONTROL, 1)
    except RunFolderError as error:
        return None, str(error)
    if records.log["ended_because"] != EndedBecause.COMPLETE:
        return None, f"the control did not run to its end: {records.log['ended_because']}"
    lag = lag_within(records.frame, *records.log["phases_ns"]["steady"])
    return (lag, "") if lag.samples else (None, "the control started nothing")


def _seconds(warm: pl.DataFrame, log: dict[str, Any]) -> tuple[ArrivalSecond, ...]:
    if log["go_ns"] is None or not len(warm):
        return ()
    second = ((warm["intended_start_ns"] - log["go_ns"]) // SECOND_NS).to_numpy()
    outcome = warm["outcome"].to_numpy()
    count = int(second.max()) + 1
    by = {
        one.name.lower(): np.bincount(second[outcome == int(one)], minlength=count).tolist()
        for one in Outcome
    }
    scheduled = np.bincount(second, minlength=count).tolist()
    known = warm.filter((pl.col("flags") & TIMES_LOST) == 0)
    took, nothing = _response_times(known, log["go_ns"]), {"p50_s": None, "p99_s": None}
    waits = InFlightCurve(
        known["intended_start_ns"].sort().to_numpy(), known["start_ns"].sort().to_numpy()
    )
    waiting = waits.means(log["go_ns"] + np.arange(count + 1) * SECOND_NS)
    return tuple(
        ArrivalSecond(
            float(at),
            scheduled[at],
            **{name: counts[at] for name, counts in by.items()},
            **took.get(at, nothing),
            waiting=float(waiting[at]),
        )
        for at in range(count)
    )


def _response_times(known: pl.DataFrame, go_ns: int) -> dict[int, dict[str, Any]]:
    """Return the response times of what was to start in each second in which anything was."""
    took = (pl.col("end_ns") - pl.col("intended_start_ns")) / 1e9
    return (
        known.lazy()
        .group_by(second=(pl.col("intended_start_ns") - go_ns) // SECOND_NS)
        .agg(p50_s=took.quantile(0.5, "equiprobable"), p99_s=took.quantile(0.99, "equiprobable"))
        .collect()
        .rows_by_key("second", named=True, unique=True)
    )
