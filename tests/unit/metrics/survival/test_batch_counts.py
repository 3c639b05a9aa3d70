"""What stretches saw, counted slice by slice, against looking at every workflow's life."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.survival.batch_counts import FINE, BatchCounts
from perf_pipeline.metrics.survival.batches import BATCHES, observed_between
from perf_pipeline.samples.record import Outcome
from tests.simulated_level import GO_NS, SECOND, closed_loop, frame_of

WINDOW = GO_NS + 2 * SECOND, GO_NS + 10 * SECOND
KINDS = 2


def _frame(seed: int) -> pl.DataFrame:
    """Return ten slots for 11 s, two kinds, and one slot of which nothing ever ends."""
    rng = np.random.default_rng(seed)
    rows = closed_loop(10, lambda slot: float(rng.exponential(0.5)) if slot else 100.0, 11.0)
    return frame_of(row._replace(kind=row.number % KINDS) for row in rows)


def _counts(frame: pl.DataFrame, rows: int) -> tuple[BatchCounts, ...]:
    slices = (observed_between(part, *WINDOW) for part in frame.iter_slices(rows))
    return BatchCounts.of(slices, KINDS)


def _cells(counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Counter[tuple[int, int]]:
    return Counter({(int(s), int(b)): int(counts[s, b]) for s, b in np.argwhere(counts)})


def _naive(frame: pl.DataFrame, kind: int) -> tuple[Counter[tuple[int, int]], ...]:
    """Walk through every life stretch by stretch: who left (and who did not end), who came."""
    start, end = WINDOW
    left: Counter[tuple[int, int]] = Counter()
    stayed, came = left.copy(), left.copy()
    for row in frame.filter(pl.col("kind") == kind).iter_rows(named=True):
        ended = row["outcome"] != Outcome.ABANDONED and row["end_ns"] < end
        until = row["end_ns"] if ended else end
        if until < start or row["start_ns"] >= end:
            continue
        for batch in range(BATCHES):
            low, high = (start + (end - start) * (batch + n) // BATCHES for n in (0, 1))
            if row["start_ns"] >= high or (until < low if ended else False):
                continue
            ends_here = ended and until < high
            cell = batch, _bucket((until if ends_here else high) - row["start_ns"])
            left[cell] += 1
            stayed[cell] += not ends_here
            watched = row["start_ns"] < low and (batch > 0 or ended)
            came[batch, _bucket(low - row["start_ns"])] += watched
    return +left, +stayed, +came


def _bucket(age_ns: int) -> int:
    return int(FINE.of(np.array([age_ns], dtype=np.int64))[0])


@pytest.mark.parametrize("rows", [7, 1000])
def test_counts_are_those_of_walking_through_every_life(rows: int) -> None:
    frame = _frame(5)
    for kind, counts in enumerate(_counts(frame, rows)):
        found = tuple(_cells(each) for each in (counts.left, counts.stayed, counts.came))
        assert found == _naive(frame, kind)
        assert counts.ended.sum() == (counts.left - counts.stayed).sum() > 0


def test_who_was_not_there_before_was_seen_from_the_beginning() -> None:
    """Each life has one beginning: seen in the window, or before it and then never ended."""
    frame = _frame(6)
    counts = BatchCounts.together(_counts(frame, 100))

    start, end = WINDOW
    inside = (frame["start_ns"] >= start) & (frame["start_ns"] < end)
    never = (frame["start_ns"] < start) & (frame["end_ns"] >= end)
    assert counts.fresh.sum() == (inside | never).sum()


def test_all_kinds_together_are_their_sum() -> None:
    parts = _counts(_frame(7), 50)
    whole = BatchCounts.together(parts)

    assert (whole.left == parts[0].left + parts[1].left).all()
    assert (whole.came == parts[0].came + parts[1].came).all()
    assert whole.stayed.sum() == parts[0].stayed.sum() + parts[1].stayed.sum() > 0


def test_an_age_lies_between_the_edges_of_its_bucket() -> None:
    ages_ns = np.array([0, 1, 999, 1000, 10**6, 123_456_789, 3_600 * 10**9])
    for age_ns, bucket in zip(ages_ns.tolist(), FINE.of(ages_ns).tolist(), strict=True):
        low, high = FINE.edges_ns(bucket, bucket)
        assert low <= max(age_ns, 1) < high <= low * (1 + 1 / 256) + 1e-9
