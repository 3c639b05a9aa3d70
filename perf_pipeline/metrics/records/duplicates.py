"""Workflows that were recorded twice."""

from __future__ import annotations

import numpy as np
import polars as pl

_BATCH = 1 << 17
_SPREAD = 8
"""Numbers of a plan lie close together: a table of so many places a record finds them twice."""


def duplicates_of(records: pl.LazyFrame) -> int:
    """Return how many records have a number that an earlier record has."""
    numbers = records.select("number")
    count: int = numbers.select(pl.len()).collect().item()
    first, there = 0, np.zeros(0, dtype=np.bool_)
    for part in numbers.collect_batches(chunk_size=_BATCH):
        values = part.to_series().to_numpy()
        if not len(values):
            continue
        low, high = int(values.min()), int(values.max())
        if len(there):
            low, high = min(low, first), max(high, first + len(there) - 1)
        if high - low >= _SPREAD * count:
            different: int = numbers.select(pl.col("number").n_unique()).collect().item()
            return count - different
        if high - low >= len(there):
            wider = np.zeros(high - low + 1, dtype=np.bool_)
            wider[first - low : first - low + len(there)] = there
            first, there = low, wider
        there[values - first] = True
    return count - int(np.count_nonzero(there))
