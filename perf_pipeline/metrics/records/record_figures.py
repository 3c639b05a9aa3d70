"""Everything in the metrics of a level that comes from its records alone.

The records come lazily, so that only the columns that are needed are read from a Parquet file, and
the parts that take longest share two cores: 10 million records take about 2.6 s of processor time,
and less than a gigabyte (``python -m tests.benchmarks.large_data``). Where counts do, records are
counted slice by slice and not sorted; what is counted once is used by all that need it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.metrics.records.duplicates import duplicates_of
from perf_pipeline.metrics.records.fairness import fairness_of
from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.records.outcome_counts import OutcomeCounts
from perf_pipeline.metrics.records.time_point import seconds_of
from perf_pipeline.metrics.survival.intervals import throughput_interval
from perf_pipeline.metrics.survival.outcomes import ended_within
from perf_pipeline.metrics.survival.window_times import WindowTimes
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.intervals import Interval
    from perf_pipeline.metrics.types.records import Fairness, TimePoint
    from perf_pipeline.metrics.types.service_times import Distribution, ServiceTimes

_COLUMNS = ("start_ns", "end_ns", "worker", "slot", "kind", "outcome", "error_class")
_COUNTED = ("kind", "outcome", "error_class", "end_ns")
TIMED = (pl.col("flags") & (COLD | NOT_STARTED | TIMES_LOST)) == 0
"""Records with times that count: without cold starts, and without workflows that never started."""

_CORES = 2


@dataclass(frozen=True)
class RecordFigures:
    """A level's records in numbers; "the window" is the steady phase.

    Attributes:
        duplicates: Records whose workflow's number another record has as well.
        outcomes: Outcome to records, of the whole level, cold starts included.
        steady_outcomes: Likewise of what ended in the window.
        error_classes: Class to errors, of the whole level; only classes that there were.
        steady_error_classes: Likewise of what ended in the window.
        ok: Workflows of each kind that ended well in the window.
        throughput: Interval of the workflows that end ok per second of the window.
        service_times: Of the window, all kinds together.
        kinds: Of the window, each kind by index.
        distribution: Of the service times of all kinds.
        curve: The number in flight.
        in_flight_median: Time-weighted median over the window; None if nothing is known of it.
        in_flight_min: Least number within it.
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


def timed_records(records: pl.LazyFrame) -> pl.DataFrame:
    """Read what all figures but two need of the records that have times: no cold starts.

    Args:
        records: Records of ``SCHEMA``.
    """
    return records.filter(TIMED).select(_COLUMNS).collect()


def record_figures(
    records: pl.LazyFrame,
    timed: pl.DataFrame,
    *,
    window_ns: tuple[int, int],
    level_ns: tuple[int, int],
    kinds: int,
    slots: int,
) -> RecordFigures:
    """Compute the figures of one level.

    Args:
        records: Records of ``SCHEMA``, those of cold starts included.
        timed: Those of them that have times, as from ``timed_records``.
        window_ns: Start and end of the steady phase, CLOCK_MONOTONIC; equal without one.
        level_ns: The level's go, and until when it is known.
        kinds: How many kinds of workflow there are.
        slots: Number of slots of all workers.
    """
    with ThreadPoolExecutor(_CORES) as cores:
        flying = cores.submit(_in_flight, timed, window_ns, level_ns)
        duplicates = cores.submit(duplicates_of, records)
        counts, steady = OutcomeCounts.of(timed, window_ns)
        others, _ = OutcomeCounts.of(records.filter(~TIMED).select(_COUNTED).collect(), (0, 0))
        served = ended_within(timed.lazy(), *window_ns).select("worker", "slot").collect()
        fairness = fairness_of(served, slots)
        lives = timed.select("start_ns", "end_ns", "kind", "outcome")
        throughput = throughput_interval(lives, *window_ns)
        times = WindowTimes.by_kind(lives, *window_ns, kinds)
        all_times = WindowTimes.merged(times)
        curve, (median, least), seconds = flying.result()
        counts += others
        return RecordFigures(
            duplicates=duplicates.result(),
            outcomes=counts.outcomes,
            steady_outcomes=steady.outcomes,
            error_classes=counts.error_classes,
            steady_error_classes=steady.error_classes,
            ok=steady.ok(kinds),
            throughput=throughput,
            service_times=all_times.summary(),
            kinds=tuple(kind.summary() for kind in times),
            distribution=all_times.distribution(),
            curve=curve,
            in_flight_median=median,
            in_flight_min=least,
            fairness=fairness,
            seconds=seconds,
        )


def _in_flight(
    warm: pl.DataFrame, window_ns: tuple[int, int], level_ns: tuple[int, int]
) -> tuple[InFlightCurve, tuple[float, int] | tuple[None, None], tuple[TimePoint, ...]]:
    curve = InFlightCurve.of(warm)
    return curve, curve.median_and_min(*window_ns), seconds_of(warm, curve, *level_ns)
