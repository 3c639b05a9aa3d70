"""Medians from counts in buckets, against sorting the times of every cell."""

from __future__ import annotations

import statistics

import numpy as np
import pytest

from perf_pipeline.metrics.survival.cell_medians import CellMedians


def test_medians_are_those_of_sorting_to_less_than_half_a_percent() -> None:
    """Times over six decades, 1 to 200 a cell, in slices of two parts; cell 5 is empty."""
    rng = np.random.default_rng(4)
    cell = np.repeat([0, 1, 2, 3, 4, 6, 7], [1, 2, 3, 10, 60, 200, 200])
    times_ns = np.exp(rng.uniform(np.log(1e3), np.log(1e9), len(cell))).astype(np.int64)
    order = rng.permutation(len(cell))
    medians, others = CellMedians(8), CellMedians(8)
    for number, part in enumerate(np.array_split(order, 9)):
        (others if number % 3 else medians).add(cell[part], times_ns[part])
    medians.merge(others)
    medians.merge(CellMedians(8))

    known, found = medians.values()

    assert known.tolist() == [0, 1, 2, 3, 4, 6, 7]
    naive = [statistics.median(times_ns[cell == each].tolist()) for each in known]
    assert found == pytest.approx(naive, rel=0.004)


def test_many_times_in_one_bucket_are_told_apart_by_their_rank() -> None:
    """1 to 1.003 ms lie in one bucket of 0.3 %; the median is found to 0.02 %."""
    times_ns = np.linspace(1_000_000, 1_003_000, 1001).astype(np.int64)
    medians = CellMedians(1)
    medians.add(np.zeros(1001, dtype=np.int64), times_ns)

    assert medians.values()[1] == pytest.approx([1_001_500], rel=0.001)


def test_equal_times_have_the_same_median_whether_odd_or_even_in_number() -> None:
    """A series of equal times must not seem to jump about."""
    medians = CellMedians(2)
    medians.add(np.repeat([0, 1], [3, 4]), np.full(7, 5_000_000))

    first, second = medians.values()[1].tolist()
    assert first == second == pytest.approx(5_000_000, rel=0.004)


def test_of_no_times_there_is_no_median() -> None:
    medians = CellMedians(3)
    medians.add(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))

    assert len(medians.values()[0]) == 0


def test_what_is_merged_keeps_its_times() -> None:
    """One part holds 1 us to 1 s, the other only 1 ms: it comes into the middle of the first."""
    wide, narrow = CellMedians(2), CellMedians(2)
    wide.add(np.array([0, 0]), np.array([1_000, 1_000_000_000]))
    narrow.add(np.array([1, 1]), np.array([1_000_000, 1_000_000]))
    wide.merge(narrow)

    assert wide.values()[1][1] == pytest.approx(1_000_000, rel=0.004)
