"""That a run was stopped by its scenario, at which level, and what was not run for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.samples.ended_because import EndedBecause


@dataclass(frozen=True)
class Stopped:
    """Stands as ``stopped`` in the manifest and in ``run.json``.

    Attributes:
        level: What people call the level that was ended.
        because: ``mostly_failing``, ``host_floor`` or ``slo_aborted``.
        detail: A sentence about it.
        not_run: The levels and arms that were not run.
    """

    level: str
    because: EndedBecause
    detail: str
    not_run: tuple[str, ...]

    @property
    def told(self) -> str:
        """All of it for people, in a line."""
        later = f"; not run: {', '.join(self.not_run)}" if self.not_run else ""
        return f"level {self.level} was ended: {self.detail}{later}"


def stopped_at(plan: LevelPlan, log: LevelLog, plans: Sequence[LevelPlan]) -> Stopped | None:
    """Return why no level is played after this one; None if the run goes on.

    Args:
        plan: The level that has just been played.
        log: What its supervisor saw.
        plans: Every level of the run.
    """
    if not log.ended_because.stops_run:
        return None
    later = tuple(one.shown for one in plans if one.index > plan.index)
    return Stopped(plan.shown, log.ended_because, log.ended_detail, later)
