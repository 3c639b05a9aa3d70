"""Everything in a level's metrics that comes from its records alone.

The records come lazily, so that only the columns that are needed are read from a Parquet file, and
the four parts that take longest share two cores: 10 million records take about a second and less
than a gigabyte (``python -m tests.benchmarks.large_data``).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.fairness import fairness_of
from perf_pipeline.metrics.in_flight import InFlightCurve
from perf_pipeline.metrics.second import seconds_of
from perf_pipeline.metrics.service_time import WindowTimes, ended_within
from perf_pipeline.samples.record import COLD, NOT_STARTED, TIMES_LOST, ErrorClass, Outcome

if TYPE_CHECKING:
    from perf_pipeline.metrics.level import Fairness, Second, ServiceTimes

_COLUMNS = ("start_ns", "end_ns", "worker", "slot", "kind", "outcome", "error_class")
_CORES = 2
_SPREAD = 8
"""Numbers of a plan lie close together: a table of so many places a record finds them twice."""


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
        service_times: Of the window, all kinds together.
        kinds: Of the window, each kind by index.
        curve: The number in flight.
        in_flight_median: Time-weighted median over the window; None if nothing is known of it.
        in_flight_least: Least number within it.
        fairness: Over the window.
        seconds: The level second by second.
    """

    duplicates: int
    outcomes: dict[str, int]
    steady_outcomes: dict[str, int]
    error_classes: dict[str, int]
    steady_error_classes: dict[str, int]
    ok: tuple[int, ...]
    service_times: ServiceTimes
    kinds: tuple[ServiceTimes, ...]
    curve: InFlightCurve
    in_flight_median: float | None
    in_flight_least: int | None
    fairness: Fairness
    seconds: tuple[Second, ...]


def record_figures(
    records: pl.LazyFrame,
    *,
    window_ns: tuple[int, int],
    level_ns: tuple[int, int],
    kinds: int,
    slots: int,
) -> RecordFigures:
    """Compute the figures of one level.

    Args:
        records: Records of ``SCHEMA``, those of cold starts included.
        window_ns: Start and end of the steady phase, CLOCK_MONOTONIC; equal without one.
        level_ns: The level's go, and until when it is known.
        kinds: How many kinds of workflow there are.
        slots: Number of slots of all workers.
    """
    with ThreadPoolExecutor(_CORES) as cores:
        duplicates = cores.submit(
            lambda: duplicates_of(records.select("number").collect().to_series())
        )
        counted = cores.submit(_counts, records)
        timed = (pl.col("flags") & (COLD | NOT_STARTED | TIMES_LOST)) == 0
        warm = records.filter(timed).select(_COLUMNS).collect()
        served = ended_within(warm.lazy(), *window_ns).select("worker", "slot").collect()
        fairness = fairness_of(served, slots)
        del served
        warm = warm.drop("worker", "slot")  # of a fifth of the memory, before the sorting begins
        flying = cores.submit(_in_flight, warm, window_ns, level_ns)
        times = [
            WindowTimes.of(warm.lazy().filter(pl.col("kind") == kind), *window_ns)
            for kind in range(kinds)
        ]
        ended = ended_within(warm.lazy(), *window_ns)
        outcomes, classes = counted.result()
        steady_outcomes, steady_classes = _counts(ended)
        curve, (median, least), seconds = flying.result()
        return RecordFigures(
            duplicates=duplicates.result(),
            outcomes=outcomes,
            steady_outcomes=steady_outcomes,
            error_classes=classes,
            steady_error_classes=steady_classes,
            ok=_ok(ended, kinds),
            service_times=WindowTimes.merged(times).summary(),
            kinds=tuple(kind.summary() for kind in times),
            curve=curve,
            in_flight_median=median,
            in_flight_least=least,
            fairness=fairness,
            seconds=seconds,
        )


def duplicates_of(numbers: pl.Series) -> int:
    """Return how many records have a number that an earlier record has."""
    if not len(numbers):
        return 0
    values = numbers.to_numpy()
    first, last = int(values.min()), int(values.max())
    if last - first >= _SPREAD * len(values):
        return len(values) - numbers.n_unique()
    there = np.zeros(last - first + 1, dtype=np.bool_)
    there[values - first] = True
    return len(values) - int(np.count_nonzero(there))


def _in_flight(
    warm: pl.DataFrame, window_ns: tuple[int, int], level_ns: tuple[int, int]
) -> tuple[InFlightCurve, tuple[float, int] | tuple[None, None], tuple[Second, ...]]:
    curve = InFlightCurve.of(warm)
    return curve, curve.median_and_least(*window_ns), seconds_of(warm, curve, *level_ns)


def _ok(ended: pl.LazyFrame, kinds: int) -> tuple[int, ...]:
    is_ok = pl.col("outcome") == int(Outcome.OK)
    counts = dict(ended.group_by("kind").agg(is_ok.sum()).collect().iter_rows())
    return tuple(counts.get(kind, 0) for kind in range(kinds))


def _counts(records: pl.LazyFrame) -> tuple[dict[str, int], dict[str, int]]:
    """Count outcomes, all five of them, and the classes of errors that there are."""
    outcomes = {outcome.name.lower(): 0 for outcome in Outcome}
    classes: dict[int, int] = {}
    groups = records.group_by("outcome", "error_class").len().collect()
    for outcome, error_class, count in groups.iter_rows():
        outcomes[Outcome(outcome).name.lower()] += count
        if outcome == Outcome.ERROR:
            classes[error_class] = count
    return outcomes, {ErrorClass(c).name.lower(): n for c, n in sorted(classes.items())}
