"""The supervisor's log of a load level, and the progress of a running one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.samples.slots import Totals


@dataclass(frozen=True)
class Progress:
    """The progress of a load level.

    Attributes:
        label: Name of the level, for people.
        phase: ``start``, ``ramp_up``, ``warm_up``, ``steady`` or ``drain``.
        totals: Started, ended and failed so far.
        rate_per_s: Ended a second since the last report.
        elapsed_s: Since the go; 0 before.
    """

    label: str
    phase: str
    totals: Totals
    rate_per_s: float
    elapsed_s: float


@dataclass
class LevelLog:
    """The course of a load level; stored as ``level.json``.

    Attributes:
        plan: The plan's values, without its arrays, and its hash.
        started_at: Wall clock, ISO 8601 UTC.
        ended_at: Likewise.
        go_ns: CLOCK_MONOTONIC of the go, of a later stage that of its begin; None if the workers
            never got ready.
        until_ns: Of a stage, when the next one began; None where none did.
        phases_ns: Phase to (start, end), CLOCK_MONOTONIC; an end of None was never reached.
        ended_because: Why it ended.
        ended_detail: A sentence about it, for people; may be empty.
        limits: How the limits of the workers were enforced, for people; ``none`` without limits.
        workers: Index, pid, end reason and processes left behind of each worker.
    """

    plan: dict[str, Any]
    started_at: str
    ended_at: str = ""
    go_ns: int | None = None
    phases_ns: dict[str, tuple[int, int | None]] = field(default_factory=dict)
    ended_because: EndedBecause = EndedBecause.INTERRUPTED
    ended_detail: str = ""
    limits: str = "none"
    workers: list[dict[str, Any]] = field(default_factory=list)
    until_ns: int | None = None

    @property
    def folder_name(self) -> str:
        """Name of the level's folder in the run's folder."""
        return f"{self.plan['index']:02d}-{self.plan['label']}"

    def left_behind(self) -> dict[str, int]:
        """Return the names of the processes that the target left behind, and how many had each."""
        names: Counter[str] = Counter()
        for worker in self.workers:
            names.update(worker.get("left_behind", {}))
        return dict(names)


def new_log(plan: LevelPlan, go_ns: int | None = None, limits: str = "none") -> LevelLog:
    """Return the log of a level that begins now."""
    return LevelLog(
        plan={**plan.head(), "sha256": plan.sha256()},
        started_at=datetime.now(UTC).isoformat(),
        go_ns=go_ns,
        limits=limits,
    )
