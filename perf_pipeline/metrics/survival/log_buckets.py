"""Log-linear buckets of times: 256 of equal width in each power of two of nanoseconds.

A bucket's end lies at most 1/256 (0.4 %) above its beginning. The buckets are the same everywhere:
counts of two levels, worker processes or hosts can be added.

Source:
    The buckets are those of Tene's HdrHistogram with binary instead of decimal digits. The bucket
    of a time is the upper bits of its floating-point number, found in a few nanoseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

SUB_BITS = 8
"""2**8 buckets a power of two."""

MAX_NS = (1 << 53) - 1
"""104 days; up to there every whole number of nanoseconds is a float64."""

BUCKETS = 53 << SUB_BITS
"""Number of buckets, from 1 ns to ``MAX_NS``."""

_SHIFT = 52 - SUB_BITS
_BIAS = 1023 << SUB_BITS
"""A float64 has 52 bits of mantissa, and 1.0 has the exponent 1023."""


def bucket_of(times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bucket of each time; 0 ns counts as 1 ns.

    Args:
        times_ns: int64[n], each in [0, ``MAX_NS``]; not checked.

    Returns:
        int64[n], each in [0, ``BUCKETS``), non-decreasing with the time.
    """
    bits: npt.NDArray[np.int64] = np.maximum(times_ns, 1).astype(np.float64).view(np.int64)
    bits >>= _SHIFT
    bits -= _BIAS
    return bits


def edges_ns(first: int = 0, last: int = BUCKETS - 1) -> npt.NDArray[np.float64]:
    """Return where the buckets ``first`` to ``last`` begin, and where the last one ends.

    Returns:
        float64[last - first + 2], ns.
    """
    places = np.arange(first, last + 2, dtype=np.int64) + _BIAS
    places <<= _SHIFT
    edges: npt.NDArray[np.float64] = places.view(np.float64)
    return edges
