"""The standard error of how much a function's own time moved, from how the levels of a side differ.

A side has few levels, so the variance between them is poorly known for each function alone: it is
moderated. Functions of one profile are assumed to differ between processes by a common coefficient
of variation, beside what the number of samples makes; that expectation counts as much as
``EXPECTED_DEGREES`` further degrees of freedom. A function that differs more keeps most of its own
variance.

Source:
    Smyth, "Linear Models and Empirical Bayes Methods for Assessing Differential Expression in
    Microarray Experiments", Statistical Applications in Genetics and Molecular Biology 3 (2004):
    the moderated t-statistic, for many quantities with few replicates each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from perf_pipeline.analysis.profile.own_times import OwnTimes

EXPECTED_DEGREES = 4
"""Weight of the expectation beside the degrees of freedom of a function's own variance: six with
four levels a side."""


class MoveErrors(NamedTuple):
    """Standard errors of moves.

    Attributes:
        seconds: float64[functions], of the difference of the two sides.
        degrees: Degrees of freedom of Student's t.
    """

    seconds: npt.NDArray[np.float64]
    degrees: int


def move_errors(sides: Sequence[OwnTimes]) -> MoveErrors:
    """Return the standard error of each function's move.

    Args:
        sides: The two sides, each with at least two levels.
    """
    degrees = sum(side.levels - 1 for side in sides)
    excess_s2 = sum(float((side.variance_s2 - side.counted_s2).sum()) for side in sides)
    squares_s2 = sum(float((side.seconds**2).sum()) for side in sides)
    spread2 = max(excess_s2 / squares_s2, 0.0) if squares_s2 else 0.0
    total_s2 = np.zeros_like(sides[0].seconds)
    for side in sides:
        expected_s2 = side.counted_s2 + spread2 * side.seconds**2
        moderated_s2 = (EXPECTED_DEGREES * expected_s2 + degrees * side.variance_s2) / (
            EXPECTED_DEGREES + degrees
        )
        total_s2 += np.maximum(moderated_s2, side.counted_s2) / side.levels
    return MoveErrors(np.sqrt(total_s2), EXPECTED_DEGREES + degrees)
