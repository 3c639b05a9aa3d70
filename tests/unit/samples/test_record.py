"""A record is 40 bytes, and the worker and the reader agree on every one of them."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.samples.level_records import RECORD_DTYPE
from perf_pipeline.samples.record import RECORD, ErrorClass, Outcome, cold_kind, cold_number

_INT64 = st.integers(-(2**63), 2**63 - 1)
_BYTE = st.integers(0, 255)
_ROW = st.tuples(
    _INT64, _INT64, _INT64, _INT64, st.integers(0, 2**32 - 1), _BYTE, _BYTE, _BYTE, _BYTE
)


@given(st.lists(_ROW, max_size=5))
def test_what_the_worker_packs_is_what_numpy_reads(rows: list[tuple[int, ...]]) -> None:
    """All nine columns, extremes of each type included; the naive side is struct's own reading."""
    payload = b"".join(RECORD.pack(*row) for row in rows)

    read = np.frombuffer(payload, dtype=RECORD_DTYPE)

    assert [row.item() for row in read] == rows
    assert RECORD.size == RECORD_DTYPE.itemsize == 40


def test_a_value_that_does_not_fit_is_refused_rather_than_cut() -> None:
    for row in ((2**63, 0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 2**32, 0, 0, 0, 0)):
        with pytest.raises(struct.error):
            RECORD.pack(*row)


def test_the_numbers_of_the_closed_lists_never_change() -> None:
    """They stand in journals on disk: a renumbering would silently relabel old runs."""
    assert [outcome.name for outcome in sorted(Outcome)] == [
        "OK",
        "ERROR",
        "TIMEOUT",
        "DROPPED",
        "ABANDONED",
    ]
    assert {c.name: int(c) for c in ErrorClass} == {
        "NONE": 0,
        "TIMEOUT": 1,
        "CONNECTION": 2,
        "RESOURCE_EXHAUSTION": 3,
        "WRONG_RESULT": 4,
        "WORKFLOW_ERROR": 5,
        "TARGET_CRASH": 6,
        "OTHER": 7,
    }


def test_cold_starts_of_all_workers_have_distinct_negative_numbers_that_hold_their_kind() -> None:
    kinds, workers = 6, 32
    numbers = {
        (kind, worker): cold_number(kind, worker, kinds)
        for kind in range(kinds)
        for worker in range(workers)
    }

    assert len(set(numbers.values())) == kinds * workers
    assert max(numbers.values()) < 0
    assert all(cold_kind(number, kinds) == kind for (kind, _), number in numbers.items())
