"""Pairs of bucket and count by second and cell, which a histogram builder accumulates."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.survival.histogram_block import CELL, HistogramBlock

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_STEPS = {
    "second": 1 << 31,
    "quantity": 2,
    "phase": 8,
    "kind": 256,
    "outcome": 8,
    "bucket": 1 << 14,
}
"""Values of each part of a key, which is packed into an int64, most significant part first. The
first is also the bias of the second, which may be negative."""

SECOND = pl.col("key") // (math.prod(_STEPS.values()) // _STEPS["second"]) - _STEPS["second"]
"""The second of a pair, from its key."""

NO_PAIRS = pl.DataFrame(
    schema={"key": pl.Int64, "count": pl.Int64, "min_ns": pl.Int64, "max_ns": pl.Int64}
)


def pairs_of(
    second: npt.NDArray[np.int64],
    parts: Sequence[int | npt.NDArray[np.int64]],
    lasted_ns: npt.NDArray[np.int64],
) -> pl.DataFrame:
    """Count times by cell and bucket.

    Args:
        second: int64[n], second of the level, >= -1.
        parts: Quantity, phase, kind, outcome and bucket of the times: int64[n], or one for all.
        lasted_ns: int64[n], the times.

    Returns:
        The columns ``key``, ``count``, ``min_ns`` and ``max_ns``.
    """
    key = second + _STEPS["second"]
    for values, part in zip([*_STEPS.values()][1:], parts, strict=True):
        key = key * values + part
    lasted = pl.col("lasted")
    return (
        pl.DataFrame({"key": key, "lasted": lasted_ns})
        .group_by("key")
        .agg(count=pl.len().cast(pl.Int64), min_ns=lasted.min(), max_ns=lasted.max())
    )


def added(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return the pairs of both, with the counts of equal keys added."""
    both = pl.concat([one, other]).group_by("key")
    return both.agg(pl.col("count").sum(), pl.col("min_ns").min(), pl.col("max_ns").max())


def block_of(pairs: pl.DataFrame) -> HistogramBlock:
    """Return the pairs as a block of histograms."""
    pairs = pairs.sort("key")
    key = pairs["key"].to_numpy()
    bucket, rest = key % _STEPS["bucket"], key // _STEPS["bucket"]
    first = np.flatnonzero(np.diff(rest, prepend=-1))
    cells = np.zeros(len(first), dtype=CELL)
    cells["pairs"] = np.diff(first, append=len(rest))
    if len(first):
        cells["min_ns"] = np.minimum.reduceat(pairs["min_ns"].to_numpy(), first)
        cells["max_ns"] = np.maximum.reduceat(pairs["max_ns"].to_numpy(), first)
    rest = rest[first]
    for name in ("outcome", "kind", "phase", "quantity"):
        cells[name], rest = rest % _STEPS[name], rest // _STEPS[name]
    cells["second"] = rest - _STEPS["second"]
    return HistogramBlock(cells, bucket.astype(np.uint16), pairs["count"].to_numpy())
