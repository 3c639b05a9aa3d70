"""Fairness of the slots, against the closed forms of Jain's index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.records.fairness import fairness_of
from tests.simulated_level import at_s, frame_of

if TYPE_CHECKING:
    import polars as pl


def _frame(counts: list[int], worker: int = 0) -> pl.DataFrame:
    rows = [
        at_s(100 * slot + n, n, n + 1, slot=slot) for slot, c in enumerate(counts) for n in range(c)
    ]
    return frame_of(rows, worker)


def test_equal_service_has_index_one_and_starves_nobody() -> None:
    fairness = fairness_of(_frame([7] * 10), 10)

    assert fairness.jain_index == pytest.approx(1.0)
    assert (fairness.starved, fairness.median, fairness.maximum) == (0, 7, 7)


def test_one_slot_that_gets_everything_has_index_one_over_n() -> None:
    fairness = fairness_of(_frame([25]), 40)

    assert fairness.jain_index == pytest.approx(1 / 40)
    assert (fairness.starved, fairness.median, fairness.maximum) == (39, 0, 25)


def test_k_of_n_slots_served_equally_have_index_k_over_n() -> None:
    fairness = fairness_of(_frame([3] * 12), 48)

    assert fairness.jain_index == pytest.approx(12 / 48)
    assert fairness.starved == 36


def test_uneven_counts_follow_the_formula() -> None:
    counts = [1, 2, 3, 4, 0]

    fairness = fairness_of(_frame(counts), 5)

    assert fairness.jain_index == pytest.approx(sum(counts) ** 2 / (5 * sum(c * c for c in counts)))
    assert (fairness.starved, fairness.median, fairness.maximum) == (1, 2, 4)


def test_slots_of_two_workers_with_the_same_number_are_two_slots() -> None:
    both = _frame([2, 2], worker=0).vstack(_frame([2, 2], worker=1))

    assert fairness_of(both, 4).starved == 0
    assert fairness_of(both, 4).maximum == 2


def test_slots_are_counted_together_however_many_records_are_taken_at_a_time() -> None:
    ended = _frame([5, 0, 9, 1, 4], worker=0).vstack(_frame([3, 2], worker=1))

    assert fairness_of(ended, 10, rows=7) == fairness_of(ended, 10)


def test_when_nothing_ended_there_is_no_index() -> None:
    fairness = fairness_of(frame_of([]), 8)

    assert (fairness.jain_index, fairness.starved, fairness.maximum) == (None, 8, 0)
