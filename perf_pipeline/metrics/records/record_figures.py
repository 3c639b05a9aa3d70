"""The metrics of a level that come from its records alone.

The records are read lazily, so only the columns that are needed are loaded from a Parquet file, and
the longest parts share two cores: 10 million records take about 2.6 s of processor time, and less
than a gigabyte (``python -m tests.benchmarks.large_data``). Records are counted slice by slice
rather than sorted where counts suffice.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.records.fairness import fairness_of
from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.records.outcome_counts import OutcomeCounts
from perf_pipeline.metrics.records.time_point import seconds_of
from perf_pipeline.metrics.survival.intervals import throughput_interval
from perf_pipeline.metrics.survival.outcomes import ended_within
from perf_pipeline.metrics.survival.window_times import PERCENTILES, WindowTimes
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST
from perf_pipeline.samples.stages.stage_records import IS_CARRIED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.survival.intervals import Interval
    from perf_pipeline.metrics.types.records import Fairness, TimePoint
    from perf_pipeline.metrics.types.service_times import Distribution, ServiceTimes

_COUNTED = ("kind", "outcome", "error_class", "end_ns")
TIMED = (pl.col("flags") & (COLD | NOT_STARTED | TIMES_LOST)) == 0
"""Records with times that count: without cold starts, and without workflows that never started."""

_CORES = 2
_SPREAD = 8
"""Numbers of a plan lie close together: a table of so many places a record finds duplicates."""


@dataclass(frozen=True)
class RecordFigures:
    """The figures of a level's records; "the window" is the steady phase.

    Attributes:
        duplicates: Records that have the workflow number of an earlier record.
        outcomes: Outcome to records, of the whole level, cold starts included.
        steady_outcomes: Likewise of workflows that ended in the window.
        error_classes: Class to errors, of the whole level; only classes that occurred.
        steady_error_classes: Likewise of workflows that ended in the window.
        ok: Workflows of each kind that ended ok in the window.
        throughput: Interval of the workflows that end ok per second of the window.
        service_times: Service times in the window, all kinds together.
        kinds: Service times in the window, of each kind by index.
        distribution: Distribution of the service times of all kinds.
        curve: The number in flight.
        in_flight_median: Time-weighted median over the window; None without records.
        in_flight_min: Minimum within it.
        fairness: Over the window.
        seconds: The level second by second.
    """

    duplicates: int
    outcomes: dict[str, int]
    steady_outcomes: dict[str, int]
    error_classes: dict[str, int]
    steady_error_classes: dict[str, int]
    ok: tuple[int, ...]
    throughput: Interval
    service_times: ServiceTimes
    kinds: tuple[ServiceTimes, ...]
    distribution: Distribution | None
    curve: InFlightCurve
    in_flight_median: float | None
    in_flight_min: int | None
    fairness: Fairness
    seconds: tuple[TimePoint, ...]


def record_figures(
    records: pl.LazyFrame,
    timed: pl.DataFrame,
    *,
    window_ns: tuple[int, int],
    level_ns: tuple[int, int],
    kinds: int,
    slots: int,
    percentiles: Sequence[float] = PERCENTILES,
) -> RecordFigures:
    """Compute the figures of one level.

    Args:
        records: Records of ``SCHEMA``, those of cold starts included.
        timed: Those with times that count: ``TIMED``.
        window_ns: Start and end of the steady phase, CLOCK_MONOTONIC; equal without one.
        level_ns: The level's go, and the time up to which it is known.
        kinds: How many kinds of workflow there are.
        slots: Number of slots of all workers.
        percentiles: Of the service times, 0 to 1.
    """
    with ThreadPoolExecutor(_CORES) as cores:
        flying = cores.submit(_in_flight, timed, window_ns, level_ns)
        duplicates = cores.submit(duplicates_of, records)
        counts, steady = OutcomeCounts.of(timed, window_ns)
        carried = timed.filter(IS_CARRIED)
        if len(carried):  # counted where they started
            counts -= OutcomeCounts.of(carried, window_ns)[0]
        others, _ = OutcomeCounts.of(records.filter(~TIMED).select(_COUNTED).collect(), (0, 0))
        served = ended_within(timed.lazy(), *window_ns).select("worker", "slot").collect()
        fairness = fairness_of(served, slots)
        lives = timed.select("start_ns", "end_ns", "kind", "outcome")
        throughput = throughput_interval(lives, *window_ns)
        times = WindowTimes.by_kind(lives, *window_ns, kinds)
        all_times = WindowTimes.merged(times)
        curve, (median, minimum), seconds = flying.result()
        counts += others
        return RecordFigures(
            duplicates=duplicates.result(),
            outcomes=counts.outcomes,
            steady_outcomes=steady.outcomes,
            error_classes=counts.error_classes,
            steady_error_classes=steady.error_classes,
            ok=steady.ok(kinds),
            throughput=throughput,
            service_times=all_times.summary(percentiles),
            kinds=tuple(kind.summary(percentiles) for kind in times),
            distribution=all_times.distribution(),
            curve=curve,
            in_flight_median=median,
            in_flight_min=minimum,
            fairness=fairness,
            seconds=seconds,
        )


def _in_flight(
    warm: pl.DataFrame, window_ns: tuple[int, int], level_ns: tuple[int, int]
) -> tuple[InFlightCurve, tuple[float, int] | tuple[None, None], tuple[TimePoint, ...]]:
    curve = InFlightCurve.of(warm)
    return curve, curve.median_and_min(*window_ns), seconds_of(warm, curve, *level_ns)


def duplicates_of(records: pl.LazyFrame, rows: int = 1 << 17) -> int:
    """Return how many records have the workflow number of an earlier record.

    Args:
        records: Records of ``SCHEMA``.
        rows: Records that are examined together, which bounds the memory.
    """
    numbers = records.select("number")
    count: int = numbers.select(pl.len()).collect().item()
    first, there = 0, np.zeros(0, dtype=np.bool_)
    for part in numbers.collect_batches(chunk_size=rows):
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
