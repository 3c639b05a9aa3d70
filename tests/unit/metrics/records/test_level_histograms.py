"""One 99th percentile for a level: its metrics and its merged histograms agree, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.records.level_histograms import (
    HistogramKey,
    histograms_of,
    merged,
    read_histograms,
    write_histograms,
)
from perf_pipeline.metrics.records.record_figures import TIMED
from perf_pipeline.metrics.steady.level_phases import phases_of
from perf_pipeline.metrics.survival.histogram_block import Phase
from perf_pipeline.metrics.survival.window_times import PERCENTILES, WindowTimes, window_responses
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import COLD, NOT_STARTED, Outcome
from perf_pipeline.samples.run_folder import read_json, write_json
from tests.simulated_level import SimulatedWorker, at_s, closed_loop, write_level

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.survival.histogram import Histogram
    from perf_pipeline.samples.level_records import LevelRecords

KINDS = 2


def _level(folder: Path, seed: int) -> LevelRecords:
    """Ten slots; one never ends anything, another one is slow until 4 s: a warm-up that goes on."""
    rng = np.random.default_rng(seed)
    rows = closed_loop(
        10, lambda slot: float(rng.exponential(0.05)) if slot else 100.0, until_s=22.0
    )
    rows = [row._replace(kind=row.number % KINDS) for row in rows]
    rows += [at_s(-1, -3, -1, flags=COLD), at_s(-2, 1.5, 2.5, outcome=Outcome.ERROR)]
    path = write_level(
        folder, [SimulatedWorker(rows)], slots=10, steady_s=(2.0, 20.0), kinds=range(KINDS)
    )
    return read_level(path, KINDS)


def _merged(records: LevelRecords) -> dict[HistogramKey, Histogram]:
    into: dict[HistogramKey, Histogram] = {}
    merged(histograms_of(records), Phase.STEADY, into)
    return into


def _content(histogram: Histogram) -> tuple[object, ...]:
    counts = (histogram.ended, histogram.censored, histogram.delayed_entries)
    extremes = (histogram.min_ns, histogram.min_censored_ns, histogram.max_ns)
    return (*(each.tobytes() for each in counts), *extremes)


@pytest.mark.parametrize("seed", range(3))
def test_histograms_give_the_percentiles_of_the_metrics_bit_for_bit(
    tmp_path: Path, seed: int
) -> None:
    """With workflows in flight at both ends of the steady phase, and one slot that never ends."""
    records = _level(tmp_path / "level", seed)
    timed = records.frame.filter(TIMED)
    times = WindowTimes.by_kind(timed, *phases_of(records, timed).window_ns, KINDS)

    found = _merged(records)

    for kind, of_kind in enumerate(times):
        histogram = found[HistogramKey("service_time", kind)]
        assert _content(histogram) == _content(of_kind.histogram())
        stored = of_kind.summary().percentiles
        for p, percentile in zip(PERCENTILES, stored, strict=True):
            assert histogram.percentile(p).value_s == percentile.value_s
            assert histogram.percentile(p).samples_beyond == percentile.samples_beyond
    assert sum(each.delayed_entries.sum() for each in found.values()) > 0
    assert sum(each.count_censored for each in found.values()) > 0


def test_histograms_of_response_times_give_the_percentiles_of_the_metrics(tmp_path: Path) -> None:
    """An open level; a tenth of the arrivals is dropped, so that P99 is only known from below."""
    rows = [
        at_s(n, n / 100, n / 100 + 0.5, outcome=Outcome.DROPPED, flags=NOT_STARTED)
        if n % 10 == 0
        else at_s(n, n / 100, n / 100 + 0.01 + n % 7 / 50)
        for n in range(1000)
    ]
    path = write_level(tmp_path / "level", [SimulatedWorker(rows)], slots=10)
    log = read_json(path / "level.json")
    log["plan"] |= {"loop": "open", "arrivals": {"schedule": "ramp"}}
    write_json(path / "level.json", log)
    records = read_level(path, 1)
    window_ns = phases_of(records, records.frame.filter(TIMED)).window_ns

    found = _merged(records)[HistogramKey("response_time", 0)]

    times = window_responses(records.frame, *window_ns)
    assert _content(found) == _content(times.histogram())
    for p, percentile in zip(PERCENTILES, times.summary().percentiles, strict=True):
        value = found.percentile(p)
        assert (value.value_s, value.at_least) == (percentile.value_s, percentile.at_least)
    assert found.percentile(0.99).at_least


def test_histograms_that_were_written_are_those_of_the_records(tmp_path: Path) -> None:
    records = _level(tmp_path / "level", 5)
    write_histograms(tmp_path / "level", records)
    read: dict[HistogramKey, Histogram] = {}

    merged(read_histograms(tmp_path / "level", KINDS), Phase.STEADY, read)

    made = _merged(records)
    assert read.keys() == made.keys()
    assert all(_content(read[key]) == _content(made[key]) for key in made)


def test_all_kinds_merged_are_the_level(tmp_path: Path) -> None:
    records = _level(tmp_path / "level", 6)
    timed = records.frame.filter(TIMED)
    window_ns = phases_of(records, timed).window_ns
    all_kinds = timed.with_columns(kind=pl.lit(0, pl.UInt8))
    (whole,) = WindowTimes.by_kind(all_kinds, *window_ns, 1)

    one, other = _merged(records).values()
    one.merge(other)

    assert _content(one) == _content(whole.histogram())
