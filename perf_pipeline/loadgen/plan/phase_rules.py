"""When each phase of a closed level ends, and how long the control of an open one is.

The load follows these rules, and estimates rest on them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import STEADY_TURNOVERS

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import Phases

WARM_UP_TURNOVERS = 1

CONTROL_S = 3.0
"""How much of an open level's schedule its control run plays, the busiest part: 30 starts at 10/s,
1500 at 500/s."""


@dataclass(frozen=True)
class PhaseRule:
    """How long one phase lasts.

    It ends when ``min_s`` have passed and ``min_workflows`` have ended, at ``max_s`` at the
    latest; or as soon as ``max_workflows`` have ended.

    Attributes:
        phase: ``ramp_up``, ``warm_up`` or ``steady``.
        min_s: Minimum length.
        max_s: Maximum length.
        min_workflows: Workflows that must end in it.
        max_workflows: Workflows after which it ends at once; 0 for no such end.
        early_s: After this time and ``min_workflows`` it may end before ``min_s``, as soon as its
            series is steady; None for never.
    """

    phase: str
    min_s: float
    max_s: float
    min_workflows: int = 0
    max_workflows: int = 0
    early_s: float | None = None

    def may_be_over(self, elapsed_s: float, ended: int) -> bool:
        """Return whether a steady series would end the phase before its time; as ``is_over``."""
        early_s = math.inf if self.early_s is None else self.early_s
        return elapsed_s >= early_s and ended >= self.min_workflows

    def is_over(self, elapsed_s: float, ended: int) -> bool:
        """Return whether the phase ends by its time.

        Args:
            elapsed_s: Since it began.
            ended: Workflows that have ended in it.
        """
        return elapsed_s >= self.max_s or (elapsed_s >= self.min_s and ended >= self.min_workflows)

    def length_s(self, rate_per_s: float) -> float:
        """Return how long it lasts if workflows end at a constant rate, > 0."""
        length_s = max(self.min_s, self.min_workflows / rate_per_s)
        if self.max_workflows:
            length_s = min(length_s, self.max_workflows / rate_per_s)
        return min(length_s, self.max_s)


def timed_phases(phases: Phases, *, ramps: bool) -> tuple[tuple[str, float], ...]:
    """Return the phases of a level that end by time alone, each with its length, s.

    Args:
        phases: Their lengths.
        ramps: Whether there is a ramp-up: a closed level has one.
    """
    ramp_up = (("ramp_up", phases.ramp_up_s or 0.0),) if ramps else ()
    return (*ramp_up, ("warm_up", phases.warm_up_s), ("steady", phases.steady_s))


def closed_phases(phases: Phases, slots: int) -> tuple[PhaseRule, PhaseRule, PhaseRule]:
    """Return the rules of ramp-up, warm-up and steady phase of a closed level.

    Args:
        phases: Their lengths.
        slots: Workflows in flight.
    """
    ramp_up_s = phases.ramp_s(slots)
    return (
        PhaseRule("ramp_up", ramp_up_s, ramp_up_s),
        PhaseRule(
            "warm_up",
            phases.warm_up_s,
            phases.steady_max_s,
            WARM_UP_TURNOVERS * slots,
            early_s=phases.warm_up_min_s,
        ),
        PhaseRule(
            "steady",
            phases.steady_s,
            phases.steady_max_s,
            max(STEADY_TURNOVERS * slots, phases.steady_workflows),
            phases.total_workflows,
        ),
    )
