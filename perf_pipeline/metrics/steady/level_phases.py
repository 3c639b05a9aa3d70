"""Bounds of the phases of a load level, and which part of it is measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from perf_pipeline.metrics.steady.failures import first_failure_ns
from perf_pipeline.metrics.steady.steady_state import CHANGING, steady_state_of
from perf_pipeline.samples.record import NOT_STARTED, TIMES_LOST

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.steady_state import SteadyState
    from perf_pipeline.samples.level_records import LevelRecords

PHASES = ("ramp_up", "warm_up", "steady", "drain")


@dataclass(frozen=True)
class LevelPhases:
    """The phases of a level, CLOCK_MONOTONIC ns.

    Attributes:
        go_ns: When the load began; where it never did, ``last_ns``.
        last_ns: Time up to which the level is known.
        bounds_ns: Phase to its start and end; only phases that the level reached.
        steady_state: What was found in the planned steady phase; None without one.
    """

    go_ns: int
    last_ns: int
    bounds_ns: dict[str, tuple[int, int]]
    steady_state: SteadyState | None

    @property
    def has_steady(self) -> bool:
        """True when the level reached its steady phase."""
        return "steady" in self.bounds_ns

    @property
    def window_ns(self) -> tuple[int, int]:
        """Start and end of the steady phase; an empty one where there was none."""
        return self.bounds_ns.get("steady", (self.last_ns, self.last_ns))

    def since_go_s(self) -> dict[str, tuple[float, float]]:
        """Return every phase in seconds since the go."""
        return {
            name: ((start_ns - self.go_ns) / 1e9, (end_ns - self.go_ns) / 1e9)
            for name, (start_ns, end_ns) in self.bounds_ns.items()
        }


def phases_of(records: LevelRecords, warm: pl.DataFrame) -> LevelPhases:
    """Read the phases from a level's log, and find where its steady phase really began.

    Args:
        records: The level's log and records.
        warm: Its records without cold starts.
    """
    log, last_ns = records.log, _last_ns(records)
    if (until_ns := log.get("until_ns")) is not None:
        last_ns = min(last_ns, until_ns)
    go_ns = log["go_ns"] if log["go_ns"] is not None else last_ns
    found = ((name, _bounds_ns(log, name, last_ns)) for name in PHASES)
    bounds = {name: at for name, at in found if at}
    planned = bounds.get("steady")
    steady_state = planned and _steady_state(warm, log, go_ns, bounds)
    if planned and steady_state and steady_state.starts_s is not None:
        # Warm-up that ran on into the planned steady phase is excluded from every figure.
        start_ns = go_ns + round(steady_state.starts_s * 1e9)
        if start_ns > planned[0]:
            bounds["warm_up"] = (bounds.get("warm_up", planned)[0], start_ns)
            bounds["steady"] = (start_ns, planned[1])
    ordered = {name: bounds[name] for name in PHASES if name in bounds}
    return LevelPhases(go_ns, last_ns, ordered, steady_state)


def _last_ns(records: LevelRecords) -> int:
    """Return the time up to which the level is known.

    After the death of its supervisor no phase has an end. A worker process that lost records is
    then known only to its last commit: later, its target would seem to have stopped working.
    """
    lossy = [worker.journal.commits_ns[-1:] for worker in records.workers if worker.may_be_missing]
    if not records.log["workers"] and any(lossy):
        return min(at for commit in lossy for at in commit)
    commits = [worker.journal.commits_ns[-1:] for worker in records.workers]
    timed = records.frame.filter((pl.col("flags") & (NOT_STARTED | TIMES_LOST)) == 0)
    ends = [timed["end_ns"].max()] if len(timed) else []
    return max([*(at for commit in commits for at in commit), *ends], default=0)  # type: ignore[type-var, return-value]


def _bounds_ns(log: dict[str, Any], phase: str, last_ns: int) -> tuple[int, int] | None:
    """Return the bounds of a phase; one without a recorded end ends at ``last_ns``."""
    if phase not in log["phases_ns"]:
        return None
    start_ns, end_ns = log["phases_ns"][phase]
    return start_ns, max(start_ns, last_ns) if end_ns is None else end_ns


def _steady_state(
    warm: pl.DataFrame, log: dict[str, Any], go_ns: int, bounds: dict[str, tuple[int, int]]
) -> SteadyState | None:
    plan = log["plan"]
    is_open = plan["loop"] == "open"
    start_ns, end_ns = bounds["steady"]
    failure_ns = first_failure_ns(log)
    return steady_state_of(
        warm,
        go_ns=go_ns,
        began_ns=bounds["ramp_up"][1] if "ramp_up" in bounds else go_ns,
        window=(start_ns, min(end_ns, failure_ns)),
        slots=None if is_open else plan["concurrency"],
        schedule=_schedule(plan["arrivals"]) if is_open else "",
        until="the first failure" if failure_ns < end_ns else "",
    )


def _schedule(arrivals: dict[str, Any]) -> str:
    """Return the kind of a schedule; of several streams, one whose rate changes, if any does."""
    kinds = [str(stream["schedule"]) for stream in arrivals.get("streams", ())]
    return next((kind for kind in kinds if kind in CHANGING), str(arrivals["schedule"]))
