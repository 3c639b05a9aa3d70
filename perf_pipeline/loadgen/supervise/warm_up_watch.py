"""Whether the warm-up of a closed level is over, judged while it runs, by its ended workflows.

With N workflows in flight, throughput and average time say the same (N = X R), so the number of
ended workflows is the only series. Its latest part (half of the warm-up, at least ``MIN_WINDOW_S``)
is divided into blocks. The warm-up is over once the interval of the change over that part lies
within ``TOLERANCE_RATIO``: it must be *shown* that little changes. Where workflows end too rarely
for that, the warm-up goes on to its bound.

The end found here only decides when the steady phase is begun. Whether it was right is judged from
the whole series afterwards (``metrics/steady/steady_state.py``), which moves the beginning of the
steady phase or calls the level not steady. ``perf-pipeline selftest warmup`` compares both ends.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left

BLOCKS = 10
MIN_WINDOW_S = 1.0
TOLERANCE_RATIO = 0.15
"""Change over the latest part, relative to its mean; afterwards 5 % of the level is negligible."""

_T = 2.306
"""0.975 quantile of Student's t of ``BLOCKS`` - 2 degrees of freedom."""


class WarmUpWatch:
    """Takes the number of ended workflows as it grows."""

    def __init__(self) -> None:
        """Begin without a count."""
        self._times_s: list[float] = []
        self._ended: list[int] = []

    def add(self, elapsed_s: float, ended: int) -> None:
        """Note how many workflows have ended.

        Args:
            elapsed_s: Since the warm-up began; greater than in the last call.
            ended: In all; never falling.
        """
        self._times_s.append(elapsed_s)
        self._ended.append(ended)

    def is_over(self) -> bool:
        """Return whether the latest part shows that throughput no longer changes."""
        if not self._times_s:
            return False
        end_s = self._times_s[-1]
        length_s = max(MIN_WINDOW_S, end_s / 2)
        begin_s = end_s - length_s
        if begin_s < self._times_s[0]:
            return False
        edges = [self._ended_at(begin_s + length_s * at / BLOCKS) for at in range(BLOCKS + 1)]
        blocks = [after - before for before, after in itertools.pairwise(edges)]
        return greatest_change_ratio(blocks) <= TOLERANCE_RATIO

    def _ended_at(self, at_s: float) -> float:
        """Return how many had ended, interpolated between two counts."""
        right = bisect_left(self._times_s, at_s)
        if right == 0:
            return float(self._ended[0])
        if right == len(self._times_s):
            return float(self._ended[-1])
        left_s, right_s = self._times_s[right - 1], self._times_s[right]
        share = (at_s - left_s) / (right_s - left_s)
        return self._ended[right - 1] + share * (self._ended[right] - self._ended[right - 1])


def greatest_change_ratio(blocks: list[float]) -> float:
    """Return the greatest change that the 95 % interval of a series' slope allows.

    Args:
        blocks: ``BLOCKS`` values of equal lengths of time.

    Returns:
        Change over all blocks, relative to their mean; infinite where nothing ended.
    """
    mean = sum(blocks) / BLOCKS
    if mean <= 0:
        return math.inf
    at = [index - (BLOCKS - 1) / 2 for index in range(BLOCKS)]
    spread = sum(one * one for one in at)
    slope = sum(x * y for x, y in zip(at, blocks, strict=True)) / spread
    rest = sum((y - mean - slope * x) ** 2 for x, y in zip(at, blocks, strict=True))
    half = _T * math.sqrt(rest / (BLOCKS - 2) / spread)
    return (abs(slope) + half) * BLOCKS / mean
