"""The effect of one metric between two sides, with an interval at any confidence.

Ratios are estimated on a log scale: the ratio of the geometric means of the runs. Four cases:

- Runs in pairs (measured one after the other): Student's t of the log ratios (``paired.py``).
- At least four runs a side: Welch's t, so that the sides may differ in their spread.
- Fewer on one side, as one run against the last ten: Student's t, with the spread of both sides
  together, which must have six degrees of freedom. It takes the single run to be like the others.
- Fewer still: their own spread is hardly known. The standard deviation between like runs is then
  assumed to be that of the metric (5 % for most), 1.58 times the standard error within a run, or
  what the runs show, whichever is largest. Runs that differ by more than twice the assumption
  refute it, and Student's t is used. So single runs decide changes of about a quarter, and none
  where another program may have used the machine unseen (``Observation.doubt``).

1.58: between like runs values spread 1.21 times as much as replicates within a run predict, with
an upper quartile of 1.58 (2,400 pairs of runs of SAP HANA, reference/regression.md, section 4).

Of an error ratio, which may be 0, the difference is estimated: its standard error is that of
Agresti and Caffo, or what the runs show where that is larger.

Sources:
    Welch, "The generalization of 'Student's' problem", Biometrika 34, 1947.
    Agresti, Caffo, "Simple and effective confidence intervals for proportions and differences of
    proportions", The American Statistician 54, 2000.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, variance
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.paired import RESOLUTION, paired_effect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.comparison.compared_metric import ComparedMetric
    from perf_pipeline.analysis.comparison.observation import Observation

ENOUGH_RUNS = 4
"""Runs a side whose own spread is used; of fewer, Student's t is wider than the assumption."""

ENOUGH_DEGREES = 6
"""Degrees of freedom of the spread of both sides together, from which on that is used."""

REFUTED = 2.0
"""Runs that spread by more than so many times what is assumed refute the assumption."""

MIN_PAIRS = 3
BETWEEN_RUNS = 1.58
_NOTHING = 1e-9
"""In place of 0 on a log scale."""


@dataclass(frozen=True)
class Estimate:
    """An effect and its uncertainty.

    Attributes:
        effect: Candidate / baseline, or candidate - baseline.
        is_ratio: Which of the two.
        centre: Centre of the interval: of a ratio its logarithm.
        error: Standard error, on the same scale.
        degrees: Degrees of freedom of Student's t; infinite where the spread is assumed.
    """

    effect: float
    is_ratio: bool
    centre: float
    error: float
    degrees: float

    @property
    def is_assumed(self) -> bool:
        """Whether the spread between runs is assumed, as too few runs show it."""
        return math.isinf(self.degrees)

    @property
    def p(self) -> float:
        """Two-sided p-value of "no change", not corrected."""
        from scipy.special import ndtr, stdtr  # noqa: PLC0415 - 0.3 s that few commands need

        t = -abs(self.centre) / self.error
        return float(2 * (ndtr(t) if self.is_assumed else stdtr(self.degrees, t)))

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the interval that misses the true effect with probability ``alpha``."""
        from scipy.special import ndtri, stdtrit  # noqa: PLC0415

        upper = 1 - alpha / 2
        half = self.error * float(ndtri(upper) if self.is_assumed else stdtrit(self.degrees, upper))
        low, high = self.centre - half, self.centre + half
        return (math.exp(low), math.exp(high)) if self.is_ratio else (low, high)


def estimate(
    metric: ComparedMetric,
    baseline: Sequence[Observation],
    candidate: Sequence[Observation],
    *,
    paired: bool = False,
) -> Estimate | None:
    """Estimate the effect of one metric.

    Args:
        metric: The metric.
        baseline: One observation a run.
        candidate: Likewise.
        paired: Whether runs at the same position were measured one after the other.

    Returns:
        None unless both sides have a value.
    """
    before = [one for one in baseline if one.value is not None]
    after = [one for one in candidate if one.value is not None]
    if not before or not after:
        return None
    if paired:
        pairs = [
            (one, other)
            for one, other in zip(baseline, candidate, strict=False)
            if one.value is not None and other.value is not None
        ]
        if len(pairs) >= MIN_PAIRS:
            return _of_pairs(metric, pairs)
    if metric.kind == "difference":
        return _difference(before, after)
    return _ratio(metric, before, after)


def is_spread_assumed(baseline_runs: int, candidate_runs: int) -> bool:
    """Return whether so many runs are too few to show how like runs differ."""
    fewest = min(baseline_runs, candidate_runs)
    return fewest < ENOUGH_RUNS and baseline_runs + candidate_runs - 2 < ENOUGH_DEGREES


def _log(one: Observation) -> float:
    return math.log(max(one.value or 0.0, _NOTHING))


def _of_pairs(metric: ComparedMetric, pairs: Sequence[tuple[Observation, Observation]]) -> Estimate:
    if metric.kind == "difference":
        before, after = zip(*pairs, strict=True)
        effects = [(b.value or 0.0) - (a.value or 0.0) for a, b in pairs]
        return _no_narrower(_difference(before, after), effects)
    logs = [(_log(before), _log(after)) for before, after in pairs]
    found = paired_effect(*zip(*logs, strict=True))
    return Estimate(math.exp(found.centre), True, found.centre, found.error, found.degrees)


def _error_of_mean(values: Sequence[float], floor: float) -> float:
    return math.sqrt(max(variance(values), floor**2) / len(values))


def _ratio(
    metric: ComparedMetric, baseline: Sequence[Observation], candidate: Sequence[Observation]
) -> Estimate:
    before, after = [_log(one) for one in baseline], [_log(one) for one in candidate]
    centre = fmean(after) - fmean(before)
    if min(len(before), len(after)) >= ENOUGH_RUNS:
        error, degrees = _welch(before, after, RESOLUTION)
        return Estimate(math.exp(centre), True, centre, error, degrees)
    times = math.sqrt(1 / len(before) + 1 / len(after))
    shown, degrees = _pooled_spread(before, after)
    within = BETWEEN_RUNS * max(one.spread for one in (*baseline, *candidate))
    if degrees >= ENOUGH_DEGREES:
        error = max(shown, within, RESOLUTION) * times
        return Estimate(math.exp(centre), True, centre, error, degrees)
    assumed = max(metric.run_spread, within)
    spread = max(assumed, shown)
    degrees_used = degrees if shown > REFUTED * assumed else math.inf
    return Estimate(math.exp(centre), True, centre, spread * times, degrees_used)


def _pooled_spread(before: Sequence[float], after: Sequence[float]) -> tuple[float, int]:
    """Return the standard deviation between runs of both sides, and its degrees of freedom."""
    degrees = len(before) + len(after) - 2
    squares = sum(variance(side) * (len(side) - 1) for side in (before, after) if len(side) > 1)
    return (math.sqrt(squares / degrees) if degrees else 0.0), degrees


def _welch(before: Sequence[float], after: Sequence[float], floor: float) -> tuple[float, float]:
    """Return the standard error of the difference of two means, and its degrees of freedom."""
    parts = [(max(variance(side), floor**2) / len(side), len(side) - 1) for side in (before, after)]
    total = sum(part for part, _ in parts)
    return math.sqrt(total), total**2 / sum(part**2 / degrees for part, degrees in parts)


def _difference(baseline: Sequence[Observation], candidate: Sequence[Observation]) -> Estimate:
    effect = fmean(one.value or 0.0 for one in candidate) - fmean(
        one.value or 0.0 for one in baseline
    )
    (first, first_error), (second, second_error) = map(_proportion, (baseline, candidate))
    error = math.hypot(first_error, second_error)
    before, after = ([one.value or 0.0 for one in side] for side in (baseline, candidate))
    if min(len(before), len(after)) < ENOUGH_RUNS:
        return Estimate(effect, False, second - first, BETWEEN_RUNS * error, math.inf)
    shown, degrees = _welch(before, after, _NOTHING)
    if shown > error:
        return Estimate(effect, False, effect, shown, degrees)
    return Estimate(effect, False, second - first, error, math.inf)


def _proportion(side: Sequence[Observation]) -> tuple[float, float]:
    """Return a share of failures and its standard error, with one success and one failure more."""
    count = sum(one.samples for one in side)
    failed = sum((one.value or 0.0) * one.samples for one in side)
    share = (failed + 1) / (count + 2)
    return share, math.sqrt(share * (1 - share) / (count + 2))


def _no_narrower(least: Estimate, effects: Sequence[float]) -> Estimate:
    shown = _error_of_mean(effects, 0.0)
    if shown <= least.error:
        return least
    return Estimate(least.effect, False, fmean(effects), shown, len(effects) - 1)
