"""Workflows that were recorded twice."""

from __future__ import annotations

import polars as pl
import pytest

from perf_pipeline.metrics.records import duplicates
from perf_pipeline.metrics.records.duplicates import duplicates_of


@pytest.mark.parametrize("batch", [1, 2, 100])
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], 0),
        ([3, 1, 2], 0),
        ([3, 1, 3, 3, -4], 2),
        ([0, 10**15, 0], 1),
        ([5, 9, 7, 5, 20, 0, 9, 20], 3),
    ],
)
def test_a_number_that_comes_again_is_a_duplicate(
    numbers: list[int], expected: int, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of numbers grows both ways, batch by batch; one of a wide spread is not made."""
    monkeypatch.setattr(duplicates, "_BATCH", batch)

    assert duplicates_of(pl.LazyFrame({"number": numbers}, {"number": pl.Int64()})) == expected
