"""Log-linear buckets: each power of two of nanoseconds, cut into a power of two of equal parts.

The bucket of a time is the upper bits of its floating-point number, which numpy finds in a few
nanoseconds.

Source:
    The buckets are those of Tene's HdrHistogram with binary instead of decimal digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

_MANTISSA_BITS = 52
_EXPONENT_OF_1_NS = 1023

MAX_NS = (1 << 53) - 1
"""104 days; up to there every number of nanoseconds is a float64."""


@dataclass(frozen=True)
class LogBuckets:
    """The buckets from 1 ns to ``MAX_NS``; 0 ns counts as 1.

    Attributes:
        bits: 2**bits buckets a power of two.
    """

    bits: int

    @property
    def count(self) -> int:
        """How many buckets there are."""
        return 53 << self.bits

    def of(self, times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return the bucket of each time.

        Args:
            times_ns: int64[n], each in [0, ``MAX_NS``].

        Returns:
            int64[n], each in [0, ``count``), non-decreasing with the time.
        """
        bits: npt.NDArray[np.int64] = np.maximum(times_ns, 1).astype(np.float64).view(np.int64)
        bits >>= _MANTISSA_BITS - self.bits
        bits -= _EXPONENT_OF_1_NS << self.bits
        return bits

    def edges_ns(self, first: int = 0, last: int | None = None) -> npt.NDArray[np.float64]:
        """Return where buckets ``first`` to ``last`` begin, and where the last one ends."""
        until = self.count if last is None else last + 1
        places = np.arange(first, until + 1, dtype=np.int64) + (_EXPONENT_OF_1_NS << self.bits)
        places <<= _MANTISSA_BITS - self.bits
        edges: npt.NDArray[np.float64] = places.view(np.float64)
        return edges
