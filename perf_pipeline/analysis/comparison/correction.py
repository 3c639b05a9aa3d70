"""The correction of a comparison for the number of its metrics: weighted Bonferroni.

The probability that any interval of a comparison misses its true effect is at most 5 %. Four fifths
of it are shared by the primary metrics (throughput, CPU time per workflow, error ratio of each
level), one fifth by all others, whose number would otherwise cost the primary ones their power. No
metric gets more than 1 %. A corrected p-value is below 0.05 exactly where the interval excludes
"no change", which step-down corrections (Holm) do not give.

Source:
    Genovese, Roeder, Wasserman, "False discovery control with p-value weighting", Biometrika 93,
    2006; weights were fixed before any data was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 0.05
PRIMARY_SHARE = 0.8
MAX_ALPHA = 0.01


def alphas(primary: Sequence[bool]) -> list[float]:
    """Return the error probability of each metric's interval.

    Args:
        primary: Whether each metric is a primary one.
    """
    first = sum(primary)
    shares = {True: PRIMARY_SHARE * ALPHA, False: (1 - PRIMARY_SHARE) * ALPHA}
    counts = {True: first, False: len(primary) - first}
    return [min(MAX_ALPHA, shares[one] / counts[one]) for one in primary]


def corrected_p(p: float, alpha: float) -> float:
    """Return a p-value corrected for the number of metrics.

    Args:
        p: The metric's own.
        alpha: The error probability of its interval.
    """
    return min(1.0, p * ALPHA / alpha)
