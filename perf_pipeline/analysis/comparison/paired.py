"""The effect between two sides that were measured in pairs, with its standard error.

What both levels of a pair share (the hour, the temperature, the neighbours of the machine) cancels
in their difference: ``d = b - a``, on a log scale for a ratio. Student's t of the differences has
n - 1 degrees of freedom, also where the pairs share nothing, in which case half of the degrees are
wasted. So the correlation is tested first: the variances of ``b - a`` and of ``b + a`` are equal
without it, and their ratio has an F distribution. Unless that test rejects at 5 % on either side,
the mean of the two variances is used, with 2n - 2 degrees of freedom. Without correlation, power
for a 5 % change at a run-to-run CV of 3 %, 15 pairs and an error probability of 0.6 % is 90.9 %
then; of the differences alone it is 85.8 % (20,000 simulated comparisons).

A preliminary test has a price, which is paid in ``sequential.py`` together with that of stopping;
``perf-pipeline selftest regression`` measures the error rates of the whole.

Sources:
    Student, "The probable error of a mean", Biometrika 6, 1908.
    Bancroft, "On biases in estimation due to the use of preliminary tests of significance", Annals
    of Mathematical Statistics 15, 1944.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING

from perf_pipeline.metrics.survival.student import t_quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_PAIRS = 2
"""Fewer show no spread."""

RESOLUTION = 0.001
"""Smallest standard deviation of a level: values that are equal to the last digit show how they
were rounded, not how levels differ."""

_CORRELATED = 0.95
"""Quantile of F beyond which the pairs are taken as correlated."""


@dataclass(frozen=True)
class PairedEffect:
    """The mean difference of the pairs and its uncertainty.

    Attributes:
        centre: The mean difference candidate - baseline; of a ratio, its logarithm.
        error: Standard error of the mean.
        degrees: Degrees of freedom of Student's t: n - 1 where the pairs correlate, else 2n - 2.
    """

    centre: float
    error: float
    degrees: int

    def half_width(self, alpha: float) -> float:
        """Return half of the interval that misses the true mean with probability ``alpha``."""
        return self.error * t_quantile(1 - alpha / 2, self.degrees)


def paired_effect(baseline: Sequence[float], candidate: Sequence[float]) -> PairedEffect:
    """Estimate the mean difference of pairs.

    Args:
        baseline: One value a pair; of a ratio, its logarithm.
        candidate: Likewise, in the same order.

    Raises:
        ValueError: The sides differ in length, or there are fewer than two pairs.
    """
    pairs = list(zip(baseline, candidate, strict=True))
    if len(pairs) < MIN_PAIRS:
        raise ValueError(f"{len(pairs)} pairs; a spread needs {MIN_PAIRS}")
    differences = [after - before for before, after in pairs]
    sums = [after + before for before, after in pairs]
    floor = 2 * RESOLUTION**2
    apart, together = (max(_variance(values), floor) for values in (differences, sums))
    limit = f_quantile(_CORRELATED, len(pairs) - 1)
    is_correlated = not 1 / limit <= together / apart <= limit
    degrees = (len(pairs) - 1) * (1 if is_correlated else 2)
    spread = apart if is_correlated else (apart + together) / 2
    error = math.sqrt(spread / len(pairs))
    return PairedEffect(fmean(differences), error, degrees)


def _variance(values: Sequence[float]) -> float:
    """Return the variance; ``statistics.variance`` is exact, and slow."""
    mean = fmean(values)
    return math.fsum((one - mean) ** 2 for one in values) / (len(values) - 1)


@cache
def f_quantile(p: float, degrees: int) -> float:
    """Return the value below which the ratio of two equal variances lies with probability ``p``.

    Args:
        p: Between 0 and 1.
        degrees: Degrees of freedom of both, at least 1.
    """
    from scipy.special import fdtri  # noqa: PLC0415 takes 0.3 s, and few commands need it

    return float(fdtri(degrees, degrees, p))
