"""Counts of batches, made slice by slice, against looking at every workflow's life."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.survival.batch_counts import BatchCounts
from perf_pipeline.metrics.survival.batches import BATCHES, observed_between
from perf_pipeline.metrics.survival.log_buckets import bucket_of, edges_ns
from perf_pipeline.metrics.survival.survival_curve import SurvivalCurve
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
    """Walk through every life batch by batch: who left the risk set and how, who entered when."""
    start, end = WINDOW
    ended: Counter[tuple[int, int]] = Counter()
    censored, carried, entries = ended.copy(), ended.copy(), ended.copy()
    for row in frame.filter(pl.col("kind") == kind).iter_rows(named=True):
        ends = row["outcome"] != Outcome.ABANDONED and row["end_ns"] < end
        until = min(row["end_ns"], end)
        if until < start or row["start_ns"] >= end:
            continue
        for batch in range(BATCHES):
            low, high = (start + (end - start) * (batch + n) // BATCHES for n in (0, 1))
            if row["start_ns"] >= high or until < low:
                continue
            is_last = until < high or batch == BATCHES - 1
            cell = batch, _bucket((until if is_last else high) - row["start_ns"])
            (carried if not is_last else ended if ends else censored)[cell] += 1
            if row["start_ns"] < low and (batch > 0 or ends):
                entries[batch, _bucket(low - row["start_ns"])] += 1
    return ended, censored, carried, entries


def _bucket(age_ns: int) -> int:
    return int(bucket_of(np.array([age_ns], dtype=np.int64))[0])


@pytest.mark.parametrize("rows", [7, 1000])
def test_counts_are_those_of_walking_through_every_life(rows: int) -> None:
    frame = _frame(5)
    for kind, counts in enumerate(_counts(frame, rows)):
        found = (counts.ended, counts.censored, counts.carried, counts.entries)
        assert tuple(map(_cells, found)) == _naive(frame, kind)
        assert counts.ended.sum() > 0


def test_who_does_not_enter_at_an_age_is_under_observation_from_the_start() -> None:
    """Each life has one start: within the window, or before it and then never ended."""
    frame = _frame(6)
    counts = BatchCounts.together(_counts(frame, 100))

    start, end = WINDOW
    inside = (frame["start_ns"] >= start) & (frame["start_ns"] < end)
    never = (frame["start_ns"] < start) & (frame["end_ns"] >= end)
    assert counts.new_entries.sum() == (inside | never).sum()


def test_all_kinds_together_are_their_sum() -> None:
    parts = _counts(_frame(7), 50)
    whole = BatchCounts.together(parts)

    assert (whole.exits == parts[0].exits + parts[1].exits).all()
    assert (whole.entries == parts[0].entries + parts[1].entries).all()
    assert whole.censored.sum() == parts[0].censored.sum() + parts[1].censored.sum() > 0


def test_batches_together_have_the_risk_sets_of_the_window() -> None:
    """What is carried over a border leaves one batch and enters the next: it counts once."""
    counts = BatchCounts.together(_counts(_frame(8), 100))
    ended, censored = counts.ended.sum(axis=0), counts.censored.sum(axis=0)

    curve = SurvivalCurve.of(ended, censored, counts.delayed_entries)

    before = np.cumsum(counts.entries, axis=1) - counts.entries
    before -= np.cumsum(counts.exits, axis=1) - counts.exits
    at_risk = (counts.new_entries[:, None] + before).sum(axis=0)
    used = slice(curve.first, curve.first + len(curve.at_risk))
    assert (at_risk[used] == curve.at_risk).all()
    for share in (0.5, 0.1):
        assert counts.influence(curve, share).sum() == pytest.approx(0.0, abs=1e-12)


def test_an_age_lies_between_the_edges_of_its_bucket() -> None:
    ages_ns = np.array([0, 1, 999, 1000, 10**6, 123_456_789, 3_600 * 10**9])
    for age_ns, bucket in zip(ages_ns.tolist(), bucket_of(ages_ns).tolist(), strict=True):
        low, high = edges_ns(bucket, bucket)
        assert low <= max(age_ns, 1) < high <= low * (1 + 1 / 256) + 1e-9
