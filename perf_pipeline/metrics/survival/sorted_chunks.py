"""Sorted times in several pieces, asked as if they were one: nothing is merged or copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

_Times: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass(frozen=True)
class SortedChunks:
    """All values of some sorted arrays, in order.

    Attributes:
        runs: int64[n] each, non-decreasing.
    """

    runs: tuple[_Times, ...]

    def __len__(self) -> int:
        """Return how many values there are."""
        return sum(map(len, self.runs))

    @property
    def ends(self) -> _Times:
        """The first and the last value of every run: least and greatest are among them."""
        some = [run[[0, -1]] for run in self.runs if len(run)]
        return np.concatenate([np.zeros(0, dtype=np.int64), *some])

    def ranks(self, values: _Times, side: Literal["left", "right"]) -> _Times:
        """Return how many of all lie below each of ``values``, or at it too with "right"."""
        ranks = np.zeros(len(values), dtype=np.int64)
        for run in self.runs:
            ranks += run.searchsorted(values, side)
        return ranks

    def at(self, rank: int) -> int:
        """Return the value of a rank, 0 to ``len - 1``: the least that more than ``rank`` reach."""
        low, high = int(self.ends.min()), int(self.ends.max())
        while low < high:
            middle = (low + high) // 2
            reached = sum(int(run.searchsorted(middle, "right")) for run in self.runs)
            low, high = (low, middle) if reached > rank else (middle + 1, high)
        return low
