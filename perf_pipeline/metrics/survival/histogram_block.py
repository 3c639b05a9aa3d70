"""Histograms of many seconds, phases, kinds and outcomes, sparse: what ``histograms.bin`` holds.

A cell is the histogram of the times of one kind of workflow with one outcome in one second of one
phase. Only buckets that are not empty are stored. Cells with the same key may occur again, in the
same file or in another: they add up. So files are merged by concatenation, and a file that was cut
off is good up to its last whole block.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from perf_pipeline.metrics.survival.histogram import HistogramError
from perf_pipeline.metrics.survival.log_buckets import SUB_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt


class Phase(StrEnum):
    """The phase in which a time counts; ``outside`` lies between or after the level's phases."""

    COLD = "cold"
    RAMP_UP = "ramp_up"
    WARM_UP = "warm_up"
    STEADY = "steady"
    DRAIN = "drain"
    OUTSIDE = "outside"


PHASES = tuple(Phase)
IN_FLIGHT = 5
"""In the place of an outcome: the workflow was in flight when the phase ended (right-censored)."""

ENTERED = 6
"""In the place of an outcome: the workflow was in flight when the phase began and ended within it;
the bucket is that of its age then (delayed entry). Its time is counted in another cell."""

CELL = np.dtype(
    [
        ("second", "<i4"),
        ("quantity", "u1"),
        ("phase", "u1"),
        ("kind", "u1"),
        ("outcome", "u1"),
        ("pairs", "<u4"),
        ("min_ns", "<i8"),
        ("max_ns", "<i8"),
    ]
)
"""Key of a cell (``second`` since the go, -1 for all before it; ``quantity``, ``phase`` by their
index in the lists; ``outcome`` of ``Outcome``, ``IN_FLIGHT`` or ``ENTERED``), the number of its
buckets, its shortest and its longest time."""

VERSION = 2
_MAGIC = b"PPHB"
_HEAD = struct.Struct("<4sBBxxIIQ")


@dataclass(frozen=True)
class HistogramBlock:
    """Cells, and their buckets one after the other.

    Attributes:
        cells: CELL[n].
        buckets: uint16[m], m the sum of ``cells["pairs"]``; increasing within a cell.
        counts: int64[m], each > 0.
    """

    cells: npt.NDArray[Any]
    buckets: npt.NDArray[np.uint16]
    counts: npt.NDArray[np.int64]

    @property
    def total(self) -> int:
        """How many workflows were counted."""
        entered = np.repeat(self.cells["outcome"] == ENTERED, self.cells["pairs"])
        return int(self.counts[~entered].sum())

    def select(self, wanted: npt.NDArray[np.bool_]) -> HistogramBlock:
        """Return the cells for which ``wanted``, bool[n], is true."""
        pairs = np.repeat(wanted, self.cells["pairs"])
        return HistogramBlock(self.cells[wanted], self.buckets[pairs], self.counts[pairs])

    def to_bytes(self) -> bytes:
        """Return the block for a file: little endian, compressed, with length and checksum."""
        parts = (self.cells, self.buckets.astype("<u2"), self.counts.astype("<i8"))
        body = zlib.compress(b"".join(part.tobytes() for part in parts), 1)
        sizes = len(self.cells), len(body)
        return _HEAD.pack(_MAGIC, VERSION, SUB_BITS, zlib.crc32(body), *sizes) + body

    @classmethod
    def from_body(cls, body: bytes, cells: int) -> Self:
        """Read the body of a block that holds so many cells."""
        data = zlib.decompress(body)
        found = np.frombuffer(data, CELL, cells)
        pairs, at = int(found["pairs"].sum()), cells * CELL.itemsize
        return cls(
            found,
            np.frombuffer(data, "<u2", pairs, at),
            np.frombuffer(data, "<i8", pairs, at + 2 * pairs),
        )


def blocks_from(data: bytes, name: str) -> Iterator[HistogramBlock]:
    """Yield the blocks of a file, one at a time in memory.

    Args:
        data: The file's content, or that of several, concatenated.
        name: What to call it in an error.

    Raises:
        HistogramError: It is not such a file, is damaged, was cut off or is of another version;
            blocks that were yielded before are good.
    """
    at = 0
    while at < len(data):
        if len(data) - at < _HEAD.size or data[at : at + 4] != _MAGIC:
            raise HistogramError(f"{name}: no block of histograms at byte {at} of {len(data)}")
        _, version, sub_bits, crc, cells, length = _HEAD.unpack_from(data, at)
        if (version, sub_bits) != (VERSION, SUB_BITS):
            raise HistogramError(
                f"{name}: version {version} with 2**{sub_bits} buckets a power of two; this reads "
                f"version {VERSION} with 2**{SUB_BITS}. Make it anew: perf-pipeline report RUN"
            )
        at += _HEAD.size
        body = data[at : at + length]
        if len(body) < length or zlib.crc32(body) != crc:
            raise HistogramError(
                f"{name}: the block at byte {at - _HEAD.size} is cut off or damaged. "
                "Make it anew: perf-pipeline report RUN"
            )
        yield HistogramBlock.from_body(body, cells)
        at += length
