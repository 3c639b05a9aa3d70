"""A histogram of times that merges without loss: log-linear buckets, whole counts.

Each power of two of nanoseconds is cut into 128 buckets of equal width. A bucket's middle is at
most 1/256 (0.4 %) from everything in it, from 1 us to 1 h and beyond on both sides. The
buckets are the same everywhere, so that merging is adding: the percentiles of sixteen workers are
those of one, bit for bit, in whatever order they are added (``perf-pipeline selftest merge``).

What was not answered (dropped, timed out, cut short, still in flight) is counted apart, as lasting
at least so long; percentiles come from the product-limit curve of both (Kaplan, Meier,
"Nonparametric Estimation from Incomplete Observations", JASA 53, 1958).

Memory: 6784 buckets of two int64 counts, 109 kB, whatever is counted.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.metrics.survival.log_buckets import MAX_NS, LogBuckets
from perf_pipeline.metrics.types.service_times import Percentile

if TYPE_CHECKING:
    import numpy.typing as npt

Quantity = Literal["service_time", "response_time"]
QUANTITIES: tuple[Quantity, ...] = ("service_time", "response_time")

SUB_BITS = 7
"""2**7 buckets a power of two."""
_BUCKETS = LogBuckets(SUB_BITS)
BUCKETS = _BUCKETS.count
VERSION = 1
_HEAD = struct.Struct("<4sBBBxIIqq")
_MAGIC = b"PPHG"
_ROUNDING = 1e-9


class HistogramError(PerfPipelineError):
    """Bytes are no histogram, or two histograms are not of the same thing."""


def buckets_of(times_ns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the bucket of each time.

    Args:
        times_ns: int64[n], each in [0, ``MAX_NS``].

    Returns:
        int64[n], each in [0, ``BUCKETS``), non-decreasing with the time.

    Raises:
        HistogramError: A time is negative or longer than ``MAX_NS``.
    """
    if len(times_ns) and not 0 <= times_ns.min() <= times_ns.max() <= MAX_NS:
        wrong = times_ns[(times_ns < 0) | (times_ns > MAX_NS)]
        raise HistogramError(
            f"{len(wrong)} of {len(times_ns)} times lie outside of 0 to {MAX_NS} ns, the first "
            f"is {wrong[0]} ns: an end before its start, or a clock that is not CLOCK_MONOTONIC"
        )
    return _BUCKETS.of(times_ns)


def _zeros() -> npt.NDArray[np.int64]:
    return np.zeros(BUCKETS, dtype=np.int64)


@dataclass
class Histogram:
    """Counts of times by bucket.

    Attributes:
        quantity: Which time was counted; two quantities are never merged.
        sub_bits: How fine the buckets are; only ``SUB_BITS`` can be made here, others are refused.
        ended: int64[BUCKETS], what was answered, by its time.
        cut: int64[BUCKETS], what was not, by the time that it had lasted: so long at least.
        min_ns: Shortest of what was answered, exact; None without any.
        max_ns: Longest of all, exact; None without any.
    """

    quantity: Quantity
    sub_bits: int = SUB_BITS
    ended: npt.NDArray[np.int64] = field(default_factory=_zeros)
    cut: npt.NDArray[np.int64] = field(default_factory=_zeros)
    min_ns: int | None = None
    max_ns: int | None = None

    @property
    def count(self) -> int:
        """How many times were counted, answered or not."""
        return self.count_ended + self.count_cut

    @property
    def count_ended(self) -> int:
        """How many were answered."""
        return int(self.ended.sum())

    @property
    def count_cut(self) -> int:
        """How many are only known to have lasted so long at least."""
        return int(self.cut.sum())

    def add(self, times_ns: npt.NDArray[np.int64], *, cut: bool = False) -> None:
        """Count times.

        Args:
            times_ns: int64[n], each in [0, ``MAX_NS``].
            cut: They were not answered: what is counted is how long they had lasted.

        Raises:
            HistogramError: A time is out of range; nothing was counted.
        """
        if not len(times_ns):
            return
        counts = np.bincount(buckets_of(times_ns), minlength=BUCKETS)
        self.add_counts(counts, int(times_ns.min()), int(times_ns.max()), cut=cut)

    def add_counts(
        self, counts: npt.NDArray[np.int64], min_ns: int, max_ns: int, *, cut: bool
    ) -> None:
        """Add int64[BUCKETS] counts of times of which the shortest and the longest are known."""
        if cut:
            self.cut += counts
        else:
            self.ended += counts
            self.min_ns = min_ns if self.min_ns is None else min(self.min_ns, min_ns)
        self.max_ns = max_ns if self.max_ns is None else max(self.max_ns, max_ns)

    def merge(self, other: Histogram) -> None:
        """Add everything that ``other`` has counted.

        Raises:
            HistogramError: ``other`` counts another quantity, or in other buckets.
        """
        if (self.quantity, self.sub_bits) != (other.quantity, other.sub_bits):
            raise HistogramError(
                f"a histogram of {other.quantity} with 2**{other.sub_bits} buckets a power of two "
                f"cannot be added to one of {self.quantity} with 2**{self.sub_bits}: its counts "
                "would stand for other times; merge each kind on its own"
            )
        self.ended += other.ended
        self.cut += other.cut
        least = [ns for ns in (self.min_ns, other.min_ns) if ns is not None]
        most = [ns for ns in (self.max_ns, other.max_ns) if ns is not None]
        self.min_ns, self.max_ns = min(least, default=None), max(most, default=None)

    def percentile(self, p: float) -> Percentile:
        """Return a percentile: the middle of the bucket that it lies in, 0.4 % off at most.

        ``samples_beyond`` counts what lies in longer buckets: those of its own bucket that are
        longer cannot be told from those that are not.

        Args:
            p: In (0, 1).
        """
        left = self.ended + self.cut
        total = int(left.sum())
        if not total or self.max_ns is None:
            return Percentile(p, None, at_least=False, samples_beyond=0)
        places = np.flatnonzero(self.ended)
        beyond = total - np.cumsum(left)
        at_risk = beyond[places] + left[places]
        surviving = np.cumprod((at_risk - self.ended[places]) / at_risk)
        if not self.count_cut:  # the product telescopes: no rounding but that of one division
            surviving = beyond[places] / total
        reached = np.flatnonzero(surviving <= 1.0 - p + _ROUNDING)
        if not len(reached):
            return Percentile(p, self.max_ns / 1e9, at_least=True, samples_beyond=0)
        place = int(places[reached[0]])
        low, high = _BUCKETS.edges_ns()[place : place + 2]
        value_ns = min(max(float(low + high) / 2, float(self.min_ns or 0)), float(self.max_ns))
        return Percentile(p, value_ns / 1e9, at_least=False, samples_beyond=int(beyond[place]))

    def to_bytes(self) -> bytes:
        """Return the histogram for storage: little endian, non-zero buckets only, checksum last."""
        pairs = []
        for counts in (self.ended, self.cut):
            places = np.flatnonzero(counts)
            pairs.append((places.astype("<u2"), counts[places].astype("<i8")))
        sizes = [len(places) for places, _ in pairs]
        code = QUANTITIES.index(self.quantity)
        bounds = [-1 if ns is None else ns for ns in (self.min_ns, self.max_ns)]
        head = _HEAD.pack(_MAGIC, VERSION, self.sub_bits, code, *sizes, *bounds)
        body = b"".join([head, *(part.tobytes() for pair in pairs for part in pair)])
        return body + zlib.crc32(body).to_bytes(4, "little")

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` made, here or on another machine.

        Raises:
            HistogramError: It is damaged, of another version, or has other buckets.
        """
        body, said = data[:-4], int.from_bytes(data[-4:], "little")
        if len(body) < _HEAD.size or body[:4] != _MAGIC:
            raise HistogramError(f"{len(data)} bytes that are no histogram: no {_MAGIC!r} ahead")
        if zlib.crc32(body) != said:
            raise HistogramError("a histogram is damaged: its checksum is another; read it again")
        _, version, sub_bits, code, ended, cut, *bounds = _HEAD.unpack_from(body)
        if (version, sub_bits) != (VERSION, SUB_BITS):
            raise HistogramError(
                f"a histogram of version {version} with 2**{sub_bits} buckets a power of two; "
                f"this reads version {VERSION} with 2**{SUB_BITS}"
            )
        least, most = (None if ns < 0 else ns for ns in bounds)
        histogram = cls(QUANTITIES[code], min_ns=least, max_ns=most)
        at = _HEAD.size
        for size, counts in ((ended, histogram.ended), (cut, histogram.cut)):
            places = np.frombuffer(body, "<u2", size, at)
            counts[places] = np.frombuffer(body, "<i8", size, at + 2 * size)
            at += 10 * size
        return histogram
