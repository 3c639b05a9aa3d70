"""A level's figures from its records, lazily, against counting record by record."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.records.record_figures import (
    TIMED,
    RecordFigures,
    duplicates_of,
    record_figures,
)
from perf_pipeline.metrics.records.time_point import seconds_of
from perf_pipeline.metrics.survival.window_times import service_times
from perf_pipeline.samples.record import COLD, ErrorClass, Outcome
from tests.simulated_level import GO_NS, SECOND, Row, frame_of

if TYPE_CHECKING:
    from pathlib import Path

WINDOW_NS = GO_NS + 2 * SECOND, GO_NS + 8 * SECOND
LEVEL_NS = GO_NS, GO_NS + 10 * SECOND
KINDS, SLOTS = 3, 12
ANSWERED = (Outcome.OK, Outcome.ERROR, Outcome.TIMEOUT)


def _level(seed: int) -> list[Row]:
    """Return twelve slots for ten seconds, with errors, and a cold start in each worker."""
    rng = np.random.default_rng(seed)
    within_ns = GO_NS + 3 * SECOND  # of a worker that came late
    rows = [Row(-1 - w, GO_NS - SECOND, within_ns, slot=w, flags=COLD) for w in range(2)]
    for slot in range(SLOTS):
        now_ns = GO_NS + int(rng.integers(0, SECOND))
        while now_ns < LEVEL_NS[1]:
            end_ns = now_ns + 1 + int(rng.exponential(SECOND / 3))
            outcome = int(rng.choice(3, p=[0.8, 0.15, 0.05]))
            cut = end_ns > LEVEL_NS[1]
            rows.append(
                Row(
                    len(rows),
                    now_ns,
                    min(end_ns, LEVEL_NS[1]),
                    slot=slot,
                    kind=int(rng.integers(0, KINDS)),
                    outcome=Outcome.ABANDONED if cut else outcome,
                    error_class=int(rng.integers(1, 8)) if outcome == 1 and not cut else 0,
                )
            )
            now_ns = end_ns + int(rng.integers(0, 3))
    return rows


def _figures(records: pl.LazyFrame) -> RecordFigures:
    timed = records.filter(TIMED).collect()
    return record_figures(
        records, timed, window_ns=WINDOW_NS, level_ns=LEVEL_NS, kinds=KINDS, slots=SLOTS
    )


@pytest.mark.parametrize("seed", range(4))
def test_figures_lazily_from_parquet_are_those_of_counting_record_by_record(
    seed: int, tmp_path: Path
) -> None:
    rows = _level(seed)
    frame_of(rows).write_parquet(tmp_path / "records.parquet")

    figures = _figures(pl.scan_parquet(tmp_path / "records.parquet"))

    warm = [row for row in rows if not row.flags & COLD]
    ended = [
        row for row in warm if WINDOW_NS[0] <= row.end_ns < WINDOW_NS[1] and row.outcome in ANSWERED
    ]
    assert figures.duplicates == 0
    assert figures.outcomes == _named(rows)
    assert figures.steady_outcomes == _named(ended)
    assert figures.error_classes == _classes(rows)
    assert figures.steady_error_classes == _classes(ended)
    for kind, (ok, times) in enumerate(zip(figures.ok, figures.kinds, strict=True)):
        own = [row for row in warm if row.kind == kind]
        assert ok == sum(row.outcome == Outcome.OK and row.kind == kind for row in ended)
        assert times == service_times(frame_of(own), *WINDOW_NS)
    assert figures.service_times == service_times(frame_of(warm), *WINDOW_NS)
    by_slot = Counter(row.slot for row in ended)
    assert figures.fairness.maximum == max(by_slot.values())
    assert figures.fairness.starved == SLOTS - len(by_slot)
    assert (figures.in_flight_median, figures.in_flight_min) == _in_flight(warm)


def _named(rows: list[Row]) -> dict[str, int]:
    return {o.name.lower(): sum(row.outcome == o for row in rows) for o in Outcome}


def _classes(rows: list[Row]) -> dict[str, int]:
    counts = Counter(row.error_class for row in rows if row.outcome == Outcome.ERROR)
    return {ErrorClass(c).name.lower(): n for c, n in sorted(counts.items())}


def _in_flight(rows: list[Row]) -> tuple[float, int]:
    """Count at every moment at which anything changes, O(moments x records)."""
    moments = {ns for row in rows for ns in (row.start_ns, row.end_ns)} | set(WINDOW_NS)
    at = sorted(ns for ns in moments if WINDOW_NS[0] <= ns <= WINDOW_NS[1])
    lasted: Counter[int] = Counter()
    for left, right in itertools.pairwise(at):
        lasted[sum(row.start_ns <= left < row.end_ns for row in rows)] += right - left
    passed, half = 0, (WINDOW_NS[1] - WINDOW_NS[0]) / 2
    for count in sorted(lasted):
        passed += lasted[count]
        if passed >= half:
            return float(count), min(lasted)
    raise AssertionError("the window has a half")


def test_seconds_are_the_same_however_many_records_are_taken_at_a_time() -> None:
    warm = [row for row in _level(9) if not row.flags & COLD]
    frame = frame_of(warm)

    seconds = seconds_of(frame, InFlightCurve.of(frame), *LEVEL_NS, rows=20)

    assert len(seconds) == 10
    for n, one in enumerate(seconds):
        own = [
            row for row in warm if (row.end_ns - GO_NS) // SECOND == n and row.outcome in ANSWERED
        ]
        lasted = sorted(row.end_ns - row.start_ns for row in own)
        assert one.ended_ok == sum(row.outcome == Outcome.OK for row in own)
        assert one.ended_ok + one.ended_not_ok == len(own)
        assert one.p50_s == lasted[math.ceil(0.5 * len(lasted)) - 1] / 1e9
        assert one.p99_s == lasted[math.ceil(0.99 * len(lasted)) - 1] / 1e9


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
    numbers: list[int], expected: int, batch: int
) -> None:
    """The table of numbers grows both ways, batch by batch; one of a wide spread is not made."""
    records = pl.LazyFrame({"number": numbers}, {"number": pl.Int64()})

    assert duplicates_of(records, rows=batch) == expected


def test_of_no_records_there_are_figures_of_nothing() -> None:
    figures = _figures(frame_of([]).lazy())

    assert (figures.service_times.samples, figures.in_flight_median) == (0, None)
    assert sum(figures.outcomes.values()) == sum(figures.ok) == 0
    assert {one.ended_ok for one in figures.seconds} == {0}
