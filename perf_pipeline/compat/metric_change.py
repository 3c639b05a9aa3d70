"""How one metric changed between two sides, and whether the change exceeds noise.

How much runs differ by themselves decides what a difference means. Three runs a side show it: a
change is called one only if all runs of one side lie beyond all of the other's. Fewer do not show
it, so that only a major change is called one, and a minor one is ``unstable``. With a spread of
5 % between like runs, fewer than one pair of them in a hundred is called a regression by this
(tests/known_truth/test_regression_truths.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Verdict = Literal["regression", "improvement", "no_change", "unstable", "no_data"]
Severity = Literal["none", "minor", "major", "critical"]

SEVERITIES: tuple[Severity, ...] = ("none", "minor", "major", "critical")
MAJOR = SEVERITIES.index("major")
ENOUGH_RUNS = 3


@dataclass(frozen=True)
class ChangeScale:
    """How a metric is compared.

    Attributes:
        limits: From which worsening on it is minor, major, critical.
        higher_is_better: True for throughput.
        in_points: The difference is what counts; else how many times worse it is.
    """

    limits: tuple[float, float, float]
    higher_is_better: bool = False
    in_points: bool = False

    def worsening(self, before: float, after: float) -> float:
        """Return how many times, or by how many points, ``after`` is worse than ``before``."""
        small, large = (after, before) if self.higher_is_better else (before, after)
        if self.in_points:
            return large - small
        if small == 0:
            return math.inf if large else 1.0
        return large / small

    def grade(self, worsening: float) -> int:
        """Return the index in ``SEVERITIES``."""
        return sum(worsening >= limit for limit in self.limits)

    @property
    def min_worsening(self) -> float:
        """The smallest worsening that counts: points, or a share of the value."""
        return self.limits[0] - (0.0 if self.in_points else 1.0)

    def spread(self, runs: Sequence[float]) -> float:
        """Return the standard deviation of runs of one side, in the unit of ``min_worsening``."""
        if len(runs) == 1:
            return 0.0
        if self.in_points:
            return stdev(runs)
        return stdev(runs) / fmean(runs) if any(runs) else 0.0

    def change(self, before: float, after: float) -> float | None:
        """Return the change as people read it: percent, or points; None for percent of nothing."""
        if self.in_points:
            return after - before
        return 100.0 * (after - before) / before if before else None


@dataclass(frozen=True)
class MetricChange:
    """The change of one metric.

    Attributes:
        change: Percent of the baseline, or percentage points; None if there is no such number.
        verdict: Whether it is one.
        severity: Of a regression; else ``none``.
    """

    change: float | None
    verdict: Verdict
    severity: Severity = "none"


def compare(
    scale: ChangeScale,
    baseline: Sequence[float | None],
    current: Sequence[float | None],
    *,
    noise: float,
) -> MetricChange:
    """Compare one metric of all runs of two sides, by their medians.

    Args:
        scale: How it is compared.
        baseline: One value a run; None where it was not measured.
        current: Likewise.
        noise: Worsening that the number of workflows alone explains; as ``ChangeScale.worsening``.
    """
    before = [value for value in baseline if value is not None]
    after = [value for value in current if value is not None]
    if len(before) < len(baseline) or len(after) < len(current):
        return MetricChange(None, "no_data")
    middle = median(before), median(after)
    change = scale.change(*middle)
    worse, better = scale.worsening(*middle), scale.worsening(*reversed(middle))
    grade = scale.grade(max(worse, better))
    if grade == 0:
        # Runs that differ among themselves by as much could hide a change of that size.
        wide = any(scale.spread(runs) > scale.min_worsening for runs in (before, after))
        return MetricChange(change, "unstable" if wide else "no_change")
    few = min(len(before), len(after)) < ENOUGH_RUNS
    apart = min(before) > max(after) or max(before) < min(after)
    if not apart or max(worse, better) < noise or (few and grade < MAJOR):
        return MetricChange(change, "unstable")
    if better > worse:
        return MetricChange(change, "improvement")
    return MetricChange(change, "regression", SEVERITIES[grade])
