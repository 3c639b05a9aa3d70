"""Plans of the stages of a closed load: each is a level, and all are played by the same workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.scenario.scenario import Phases
    from perf_pipeline.config.scenario.stages import Stage


@dataclass(frozen=True)
class StagePlan:
    """What a level that is a stage has besides.

    Attributes:
        number: Its place among the stages, from 1.
        home: Name of the folder of the first stage, which has the workers' files of all stages.
        before: Workflows in flight when it begins.
        slots: Slots of all workers together: the maximum of all stages.
        ramp_down_s: How long the load falls to 0 after its steady phase; 0 for a stop at once.
    """

    number: int
    home: str
    before: int
    slots: int
    ramp_down_s: float = 0.0


def stage_plan(stages: Sequence[Stage], number: int, first: int, phases: Phases) -> StagePlan:
    """Return the plan of one stage.

    Args:
        stages: All stages, the last of which may be 0 in flight.
        number: Which of them, from 1; not that last one.
        first: Index in the run of the level that is the first stage.
        phases: Of the scenario.
    """
    falls = stages[number] if number < len(stages) and not stages[number].concurrency else None
    own = stages[number - 1].concurrency
    return StagePlan(
        number=number,
        home=f"{first:02d}-{stages[0].label}",
        before=stages[number - 2].concurrency if number > 1 else 0,
        slots=max(stage.concurrency for stage in stages),
        ramp_down_s=ramp_s(falls, own, phases) if falls else 0.0,
    )


def ramp_s(stage: Stage, before: int, phases: Phases) -> float:
    """Return over which time the load goes from ``before`` to that of the stage."""
    if stage.ramp_s is not None:
        return stage.ramp_s
    return phases.ramp_s(abs(stage.concurrency - before))
