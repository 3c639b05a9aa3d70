"""What is worse now, by a history or by a comparison."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.analysis.change_points.change_point import OFF_BY_RUNS

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.alert import AlertTier, Movement


NEAR_RUNS: dict[AlertTier, int] = {tier: 2 * runs for tier, runs in OFF_BY_RUNS.items()}
"""Runs between two estimates of one first bad run, each of which may be off."""


class Seen(NamedTuple):
    """A movement, and the runs around its first bad one.

    Attributes:
        scenario: The scenario of its runs.
        movement: What moved.
        nearby: Ids of the runs around the first bad one, in order, with it; of a comparison it
            alone.
        may_raise: Whether it may raise a new alert.
        is_sure: Whether it would be found anew; no, of a drift that is less clear than before.
    """

    scenario: str
    movement: Movement
    nearby: tuple[str, ...]
    may_raise: bool = True
    is_sure: bool = True

    def is_near(self, run: str, tier: AlertTier) -> bool:
        """Return whether another estimate of the first bad run may be of the same.

        Args:
            run: The other estimate.
            tier: Of what it rests on.
        """
        if not self.nearby[0] <= run <= self.nearby[-1]:
            return False
        mine = self.nearby.index(self.movement.first_bad)
        apart = abs(bisect_left(self.nearby, run) - mine)
        return apart <= max(NEAR_RUNS[tier], NEAR_RUNS[self.movement.tier])
