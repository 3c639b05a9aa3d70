"""From records to histograms by second, phase, kind and outcome."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.metrics.survival.histogram import HistogramError
from perf_pipeline.metrics.survival.histogram_block import (
    ENTERED,
    PHASES,
    HistogramBlock,
    blocks_from,
)
from perf_pipeline.metrics.survival.histogram_builder import HistogramBuilder
from perf_pipeline.metrics.survival.log_buckets import bucket_of
from perf_pipeline.samples.record import COLD, NOT_STARTED, RECORD, TIMES_LOST, Outcome
from tests.simulated_level import GO_NS, SECOND, Row, frame_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

PHASES_NS = {
    "ramp_up": (GO_NS, GO_NS + SECOND),
    "steady": (GO_NS + SECOND, GO_NS + 3 * SECOND),
    "drain": (GO_NS + 3 * SECOND, GO_NS + 4 * SECOND),
}
Key = tuple[int, str, int, int, int]
"""Second, phase, kind, outcome, bucket."""


def _built(frame: pl.DataFrame, *, is_open: bool = False) -> list[HistogramBlock]:
    builder = HistogramBuilder(GO_NS, PHASES_NS, is_open=is_open)
    return [*builder.add(frame), *builder.finish()]


def _counts(blocks: Iterable[HistogramBlock], quantity: int = 0) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for block in blocks:
        at = 0
        for cell in block.cells:
            second, of, phase, kind, outcome, pairs, _, _ = cell.item()
            for pair in range(at, at + pairs):
                if of == quantity:
                    key = second, PHASES[phase], kind, outcome, int(block.buckets[pair])
                    counts[key] += int(block.counts[pair])
            at += pairs
    return counts


def _naive(rows: Sequence[Row]) -> Counter[Key]:
    counts: Counter[Key] = Counter()
    for row in rows:
        phase = "outside"
        for name, (start_ns, end_ns) in PHASES_NS.items():
            if start_ns <= row.end_ns < end_ns:
                phase = name
        second = max(-1, (row.end_ns - GO_NS) // SECOND)
        bucket = int(bucket_of(np.array([row.end_ns - row.start_ns]))[0])
        counts[second, "cold" if row.flags & COLD else phase, row.kind, row.outcome, bucket] += 1
    return counts


_ROWS = st.lists(
    st.builds(
        lambda end_ms, lasted_ns, kind, outcome, cold: Row(
            0,
            GO_NS + end_ms * 1_000_000 - lasted_ns,
            GO_NS + end_ms * 1_000_000,
            kind=kind,
            outcome=outcome,
            flags=COLD * cold,
        ),
        st.integers(-2_000, 6_000),
        st.sampled_from([0, 1, 1_000, 1_001, 5_000_000, 3_600 * SECOND]),
        st.integers(0, 3),
        st.sampled_from(list(Outcome)),
        st.booleans(),
    ),
    max_size=50,
)


@given(_ROWS)
def test_every_record_counts_once_in_its_second_phase_kind_and_outcome(rows: list[Row]) -> None:
    assert _counts(_built(frame_of(rows))) == _naive(rows)


@given(_ROWS, st.integers(1, 10))
def test_blocks_of_workers_give_the_same_however_they_are_cut(rows: list[Row], size: int) -> None:
    builder = HistogramBuilder(GO_NS, PHASES_NS, is_open=False)
    blocks: list[HistogramBlock] = []
    for at in range(0, len(rows), size):
        blocks += builder.add_payload(b"".join(row.packed() for row in rows[at : at + size]))
    blocks += builder.finish()

    assert _counts(blocks) == _naive(rows)
    written = b"".join(block.to_bytes() for block in blocks)
    assert _counts(blocks_from(written, "here")) == _naive(rows)


def test_memory_is_bounded_and_blocks_that_are_yielded_early_add_up() -> None:
    """1000 s of four workers, one after the other as a reader gives them; three a second."""
    rng = np.random.default_rng(3)
    rows = [
        Row(0, GO_NS + t * SECOND - lasted_ns, GO_NS + t * SECOND)
        for _ in range(4)
        for t, lasted_ns in enumerate(rng.integers(1, SECOND, 1_000).tolist())
        for _ in range(3)
    ]
    builder = HistogramBuilder(GO_NS, PHASES_NS, is_open=False, max_pairs=100, rows=50)
    blocks: list[HistogramBlock] = []
    for at in range(0, len(rows), 25):
        blocks += builder.add_payload(b"".join(row.packed() for row in rows[at : at + 25]))
        assert len(builder._pending) <= 100
    blocks += builder.finish()

    assert len(blocks) > 10
    assert _counts(blocks) == _naive(rows)
    shortest = min(row.end_ns - row.start_ns for row in rows)
    longest = max(row.end_ns - row.start_ns for row in rows)
    assert min(int(block.cells["min_ns"].min()) for block in blocks if len(block.cells)) == shortest
    assert max(int(block.cells["max_ns"].max()) for block in blocks if len(block.cells)) == longest


def test_a_response_time_counts_where_it_was_due_and_a_drop_has_no_service_time() -> None:
    """Due at 1.5 s, started at 2.5 s, ended at 3.5 s; one dropped at 3 s, one of unknown times."""
    at = [GO_NS + round(t_s * SECOND) for t_s in (1.5, 2.5, 3.0, 3.5)]
    payload = b"".join(
        RECORD.pack(number, at[0], start_ns, end_ns, 0, 0, outcome, 0, flags)
        for number, start_ns, end_ns, outcome, flags in (
            (0, at[1], at[3], Outcome.OK, 0),
            (1, at[2], at[2], Outcome.DROPPED, NOT_STARTED),
            (2, at[2], at[2], Outcome.ERROR, TIMES_LOST),
        )
    )
    builder = HistogramBuilder(GO_NS, PHASES_NS, is_open=True)
    blocks = [*builder.add_payload(payload), *builder.finish()]

    one_s, one_and_a_half_s, two_s = bucket_of(
        np.array([SECOND, 3 * SECOND // 2, 2 * SECOND])
    ).tolist()
    assert _counts(blocks, 0) == {(3, "drain", 0, Outcome.OK, one_s): 1}
    assert _counts(blocks, 1) == {
        (1, "steady", 0, Outcome.OK, two_s): 1,
        (1, "steady", 0, Outcome.DROPPED, one_and_a_half_s): 1,
    }


def test_a_delayed_entry_counts_at_its_age_when_the_phase_began() -> None:
    """In flight since 0.25 s when the steady phase began at 1 s; it ended 0.5 s later."""
    builder = HistogramBuilder(GO_NS, PHASES_NS, is_open=False)
    started, ended = (np.array([GO_NS + ms * 1_000_000]) for ms in (250, 1500))
    builder.add_delayed_entries("steady", GO_NS + SECOND, np.array([3]), started, ended)
    (block,) = builder.finish()

    age = int(bucket_of(np.array([750_000_000]))[0])
    assert _counts([block]) == {(1, "steady", 3, ENTERED, age): 1}
    assert block.total == 0  # the workflow itself is counted where it ended


def test_an_end_before_its_start_is_an_error() -> None:
    with pytest.raises(HistogramError, match="an end before its start"):
        _built(frame_of([Row(0, GO_NS + 2, GO_NS + 1)]))


def test_files_merge_by_concatenation() -> None:
    rows = [Row(0, GO_NS, GO_NS + 5), Row(1, GO_NS, GO_NS + 2 * SECOND)]
    files = [b"".join(b.to_bytes() for b in _built(frame_of([row]))) for row in rows]

    assert _counts(blocks_from(b"".join(files), "both")) == _naive(rows)


def test_a_damaged_or_cut_off_file_is_named_with_the_place() -> None:
    blocks = [block for end in (1, 2) for block in _built(frame_of([Row(0, GO_NS, GO_NS + end)]))]
    whole = [block.to_bytes() for block in blocks]
    data = b"".join(whole)
    for wrong in (data[:-1], data[:-1] + bytes([data[-1] ^ 1]), data[: len(whole[0])] + b"x" * 40):
        read = blocks_from(wrong, "histograms.bin")
        assert next(read).total == 1  # what was whole before is good
        with pytest.raises(HistogramError, match=rf"histograms.bin: .*byte {len(whole[0])}"):
            next(read)
    newer = data[:4] + b"\x03" + data[5:]
    with pytest.raises(HistogramError, match=r"version 3 .* reads version 2"):
        next(blocks_from(newer, "histograms.bin"))
