"""Why a metric has its verdict: one sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.analysis.comparison.estimate import Estimate
    from perf_pipeline.analysis.comparison.observation import Observation
    from perf_pipeline.metrics.types.comparison import ComparisonVerdict


def moved(metric: ComparedMetric, effect: float) -> str:
    """Return an effect as people read it: ``-4.2 %``, or ``+0.3 points`` of an error ratio."""
    if metric.kind == "difference":
        return f"{100 * effect:+.3g} points"
    return f"{100 * (effect - 1):+.3g} %" if effect < 10 else f"{effect:.3g} times"  # noqa: PLR2004


def why(
    metric: ComparedMetric,
    found: Estimate | None,
    low: float | None,
    high: float | None,
    verdict: ComparisonVerdict,
    before: Sequence[Observation],
    after: Sequence[Observation],
) -> str:
    """Return what a verdict rests on and, where nothing is decided, what would decide it.

    Args:
        metric: The metric.
        found: Its estimate; None without data.
        low: Lower end of its corrected interval.
        high: Upper end.
        verdict: The verdict.
        before: Observations of the baseline.
        after: Of the candidate.
    """
    if found is None or low is None or high is None:
        return _lacking(before, after)
    interval = f"{moved(metric, found.effect)} [{moved(metric, low)}, {moved(metric, high)}]"
    if verdict == "no_data":
        return f"{interval}, but a value is only a lower bound: workflows had not ended"
    if verdict == "unstable":
        doubt = doubt_of(before, after) if found.is_assumed else ""
        return f"{interval}{_undecided(metric, found, (low, high), doubt)}"
    if verdict == "no_change":
        if low <= _none(metric) <= high:
            return f"{interval}: a change of {_limit(metric)} or more is ruled out"
        return f"{interval}: too small to matter"
    return f"{interval}: the interval excludes no change"


def doubt_of(before: Sequence[Observation], after: Sequence[Observation]) -> str:
    """Return why another program may have moved a value of either side; empty if none may."""
    return next((one.doubt for one in (*before, *after) if one.doubt), "")


def _undecided(
    metric: ComparedMetric, found: Estimate, interval: tuple[float, float], doubt: str
) -> str:
    if doubt:
        return (
            f", if the machine was quiet; another program may have used it ({doubt}): measure "
            "longer levels, or more runs"
        )
    return f": contains no change and one that matters; {_needed(metric, found, *interval)}"


def _lacking(before: Sequence[Observation], after: Sequence[Observation]) -> str:
    sides = (("baseline", before), ("candidate", after))
    return ", ".join(
        f"{name}: {_why_none(side)}"
        for name, side in sides
        if all(one.value is None for one in side)
    )


def _why_none(side: Sequence[Observation]) -> str:
    """Return the first reason: those of other runs differ in their figures at most times."""
    first = next((one.why_not for one in side if one.why_not), "not measured")
    more = len(side) - 1
    if more < 1:
        return first
    return f"{first}; {more} more {'value is' if more == 1 else 'values are'} missing"


def _needed(metric: ComparedMetric, found: Estimate, low: float, high: float) -> str:
    """Return how many runs a side would narrow the interval to what matters."""
    half = (math.log(high / low) if metric.kind == "ratio" else high - low) / 2
    limit = math.log1p(metric.matters) if metric.kind == "ratio" else metric.matters
    times = math.ceil(max((half / limit) ** 2, 2.0))
    if found.is_assumed:
        return f"repeat both sides; about {times} times as many runs would decide"
    return f"about {times} times as many runs would decide"


def _none(metric: ComparedMetric) -> float:
    return 1.0 if metric.kind == "ratio" else 0.0


def _limit(metric: ComparedMetric) -> str:
    unit = "%" if metric.kind == "ratio" else "points"
    return f"{100 * metric.matters:.3g} {unit}"
