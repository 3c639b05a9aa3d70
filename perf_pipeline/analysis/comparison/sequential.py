"""When an interleaved comparison has seen enough: a stopping rule that keeps the error rates.

Levels are played in pairs until the interval of every deciding metric is as narrow as asked. The
rule looks at the widths alone and never at the effects (it is *blind*): for normal values the mean
is independent of the variances, so stopping on these does not select means that are far off, as
stopping on significance would. Only the variance at the end is somewhat too small, because small
ones end the comparison. That, and the test for correlation in ``paired.py``, are paid for in two
ways: the interval must be narrow after each of three pairs in a row, and it is made with 0.7 of the
error probability that it claims. By simulation (20,000 comparisons a case, 6 to 15 pairs, pair
correlations 0 to 0.95, widths from never reached to reached at once) the intervals that claim 1 %
then miss the true effect in 0.6 to 1.3 %, so in at most 0.65 % on either side.

An anytime-valid confidence sequence would allow stopping for any reason; it is wider at every
number of pairs, and this rule needs no other reason.

Sources:
    Chow, Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals for the
    mean", Annals of Mathematical Statistics 36, 1965.
    Starr, "The performance of a sequential procedure for the fixed-width interval estimation of the
    mean", Annals of Mathematical Statistics 37, 1966.
    Gould, Shih, "Sample size re-estimation without unblinding for normally distributed outcomes
    with unknown variance", Communications in Statistics - Theory and Methods 21, 1992.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import PRIMARY
from perf_pipeline.analysis.comparison.correction import alphas
from perf_pipeline.analysis.comparison.paired import paired_effect

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_PAIRS = 6
"""Fewer pairs never end a comparison."""

NARROW_PAIRS = 3
"""The intervals must be narrow after so many pairs in a row."""

DECIDING_ALPHA = alphas([True] * len(PRIMARY))[0]
"""Error probability that the interval of a deciding metric claims."""

PAID = 0.7
"""Error probability with which an interval is made / the one that it claims."""


@dataclass(frozen=True)
class PairedValues:
    """The values of one metric in the pairs so far, on the scale on which they are compared.

    Attributes:
        baseline: One value a pair; of a ratio, its logarithm.
        candidate: Likewise.
    """

    baseline: tuple[float, ...]
    candidate: tuple[float, ...]

    def half_width(self, alpha: float = DECIDING_ALPHA, pairs: int | None = None) -> float:
        """Return half of the width of the interval of the first pairs, at least two.

        Args:
            alpha: The error probability that it claims.
            pairs: How many; None for all.
        """
        return paired_effect(self.baseline[:pairs], self.candidate[:pairs]).half_width(PAID * alpha)


def is_narrow(metrics: Sequence[PairedValues], width: float, alpha: float = DECIDING_ALPHA) -> bool:
    """Return whether every interval is narrow, after each of the last pairs.

    Args:
        metrics: The metrics that decide; without one, nothing is narrow.
        width: Half of the relative width that is asked for: 0.02 for an effect known to 2 %.
        alpha: The error probability that an interval claims.
    """
    return bool(metrics) and all(_is_narrow(one, math.log1p(width), alpha) for one in metrics)


def _is_narrow(values: PairedValues, half: float, alpha: float) -> bool:
    pairs = len(values.baseline)
    if pairs < MIN_PAIRS:
        return False
    return all(values.half_width(alpha, pairs - back) <= half for back in range(NARROW_PAIRS))
