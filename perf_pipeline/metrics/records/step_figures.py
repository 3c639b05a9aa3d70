"""Figures of the steps of a level's workflows, with the percentiles of the service times' core.

Durations are those of the steps that ended in the steady phase. What a workflow spends in a step,
and what it counts, is taken from the workflows that ended in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.metrics.survival.batch_counts import BatchCounts
from perf_pipeline.metrics.survival.batches import ENDED, Observed, batch_of
from perf_pipeline.metrics.survival.histogram import Histogram
from perf_pipeline.metrics.survival.outcomes import ended_within
from perf_pipeline.metrics.survival.window_times import PERCENTILES, WindowTimes
from perf_pipeline.metrics.types.steps import (
    CountMetrics,
    CountPercentile,
    OutsideStep,
    StepMetrics,
    Steps,
)
from perf_pipeline.samples.steps.level_steps import (
    IS_COLD,
    IS_COUNT,
    IS_FAILED,
    IS_OUTSIDE,
    LevelSteps,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from perf_pipeline.metrics.survival.survival_curve import Ints
    from perf_pipeline.metrics.types.service_times import ServiceTimes

    Rows = np.ndarray[Any, Any]


class _Ended(NamedTuple):
    """The workflows of a kind that ended in the steady phase and whose steps were recorded."""

    numbers: Ints
    service_ns: int


def steps_of(
    level: LevelSteps, warm: pl.DataFrame, window: tuple[int, int], kinds: Sequence[tuple[str, str]]
) -> Steps | None:
    """Return the figures of a level's steps; None where it has none.

    Args:
        level: Its steps.
        warm: Records of its workflows without cold starts.
        window: Start and end of the steady phase, CLOCK_MONOTONIC ns.
        kinds: Family and complexity of each kind.
    """
    if level.is_empty:
        return None
    rows = level.rows
    outside = (rows["flags"] & IS_OUTSIDE) != 0
    strange = ~outside & (rows["kind"] >= len(kinds))
    inside = rows[~outside & ~strange]
    ended = {
        sort: [_ended_of(level, part, warm, window, kind) for kind in range(len(kinds))]
        for sort, part in _sorts(inside)
    }
    steps, counts = [], []
    for (name, kind, is_count), part in _groups(inside):
        title = (level.names[name], *kinds[kind])
        if is_count:
            sampled = bool(level.sampled_every)
            counts.append(_count(title, part, window, ended[True][kind], is_sampled=sampled))
        else:
            steps.append(_step(title, part, window, ended[False][kind]))
    return Steps(
        steps=tuple(steps),
        counts=tuple(counts),
        outside=tuple(_outside(level.names, rows[outside])),
        sampled_every=level.sampled_every,
        workflows=sum(len(one.numbers) for one in ended[False]),
        unnamed=level.unnamed,
        no_room=level.no_room,
        damaged=level.damaged + int(np.count_nonzero(strange)),
    )


def _sorts(rows: Rows) -> Iterator[tuple[bool, Rows]]:
    """Yield steps and counts apart: where workflows are sampled, each may be of others."""
    is_count = (rows["flags"] & IS_COUNT) != 0
    yield False, rows[~is_count]
    yield True, rows[is_count]


def _ended_of(
    level: LevelSteps, rows: Rows, warm: pl.DataFrame, window: tuple[int, int], kind: int
) -> _Ended:
    found = (
        ended_within(warm.lazy(), *window)
        .filter(kind=kind)
        .select("number", "start_ns", "end_ns")
        .collect()
    )
    numbers = found["number"].to_numpy()
    lasted_ns = found["end_ns"].to_numpy() - found["start_ns"].to_numpy()
    if level.sampled_every:
        recorded = np.isin(numbers, rows["number"][rows["kind"] == kind])
        numbers, lasted_ns = numbers[recorded], lasted_ns[recorded]
    return _Ended(numbers, int(lasted_ns.sum()))


def _groups(rows: Rows) -> Iterator[tuple[tuple[int, int, bool], Rows]]:
    """Yield name, kind and whether it is a count, and the rows that have them, in that order."""
    is_count = (rows["flags"] & IS_COUNT) != 0
    keys = (rows["name"].astype(np.int64) << 9) | rows["kind"].astype(np.int64) << 1 | is_count
    for key in np.unique(keys).tolist():
        yield (key >> 9, (key >> 1) & 0xFF, bool(key & 1)), rows[keys == key]


def _step(
    title: tuple[str, str, str], rows: Rows, window: tuple[int, int], ended: _Ended
) -> StepMetrics:
    cold = (rows["flags"] & IS_COLD) != 0
    cold_ns, rows = rows["value"][cold], rows[~cold]
    end_ns = rows["start_ns"] + rows["value"]
    steady = (end_ns >= window[0]) & (end_ns < window[1])
    of_ended = rows["value"][np.isin(rows["number"], ended.numbers)]
    count = len(ended.numbers)
    return StepMetrics(
        *title,
        times=_times(rows["value"][steady], end_ns[steady], window),
        failed=int(np.count_nonzero(rows["flags"][steady] & IS_FAILED)),
        per_workflow=len(of_ended) / count if count else None,
        time_share=float(of_ended.sum()) / ended.service_ns if ended.service_ns else None,
        cold_samples=len(cold_ns),
        cold_mean_s=float(cold_ns.mean()) / 1e9 if len(cold_ns) else None,
    )


def _times(lasted_ns: Ints, end_ns: Ints, window: tuple[int, int]) -> ServiceTimes:
    """Summarise durations as service times are, with the same intervals."""
    nothing = np.zeros(0, dtype=np.int64)
    observed = Observed(
        batch=batch_of(end_ns, *window),
        age_ns=lasted_ns,
        fate=np.full(len(lasted_ns), ENDED, dtype=np.int8),
        kind=np.zeros(len(lasted_ns), dtype=np.int64),
        entry_age_ns=nothing,
        entry_end_ns=nothing,
        entry_kind=nothing,
    )
    (counts,) = BatchCounts.of([observed], 1)
    return WindowTimes(
        quantity="service_time",
        counts=counts,
        min_ns=int(lasted_ns.min()) if len(lasted_ns) else None,
        min_censored_ns=None,
        max_ns=int(lasted_ns.max()) if len(lasted_ns) else None,
        total_ns=int(lasted_ns.sum()),
    ).summary()


def _count(
    title: tuple[str, str, str],
    rows: Rows,
    window: tuple[int, int],
    ended: _Ended,
    *,
    is_sampled: bool,
) -> CountMetrics:
    cold = (rows["flags"] & IS_COLD) != 0
    cold_total, rows = _total(rows["value"][cold]), rows[~cold]
    steady = (rows["start_ns"] >= window[0]) & (rows["start_ns"] < window[1])
    total, length_s = _total(rows["value"][steady]), (window[1] - window[0]) / 1e9
    sums = _sums(rows[np.isin(rows["number"], ended.numbers)], ended.numbers)
    return CountMetrics(
        *title,
        calls=int(np.count_nonzero(steady)),
        total=total,
        per_s=total / length_s if length_s and not is_sampled else None,
        per_workflow=_total(sums) / len(sums) if len(sums) else None,
        percentiles=_percentiles(sums),
        cold_total=cold_total,
    )


def _sums(rows: Rows, numbers: Ints) -> Ints:
    """Return what each workflow counted in all, those that counted nothing included."""
    order = np.argsort(numbers)
    place = np.searchsorted(numbers, rows["number"], sorter=order)
    sums = np.zeros(len(numbers), dtype=np.int64)
    np.add.at(sums, place, rows["value"])
    return sums


def _percentiles(sums: Ints) -> tuple[CountPercentile, ...]:
    if not len(sums) or not 0 <= sums.min() <= sums.max() < 1 << 53:
        return ()
    histogram = Histogram("service_time")
    histogram.add(sums)
    curve = histogram.curve()
    found = []
    for p in PERCENTILES:
        one = histogram.percentile(p, curve)
        needed = math.ceil(round(MIN_TAIL_SAMPLES / (1.0 - p), 6)) if one.is_weak else None
        # The bucket of a whole number below 256 begins at it.
        found.append(
            CountPercentile(p, int((one.value_s or 0.0) * 1e9 + 1e-6), one.samples_beyond, needed)
        )
    return tuple(found)


def _outside(names: Sequence[str], rows: Rows) -> Iterator[OutsideStep]:
    for (name, _kind, is_count), part in _groups(rows):
        values = part["value"]
        yield OutsideStep(
            name=names[name],
            calls=len(part),
            failed=int(np.count_nonzero(part["flags"] & IS_FAILED)),
            mean_s=None if is_count else float(values.mean()) / 1e9,
            max_s=None if is_count else int(values.max()) / 1e9,
            total=_total(values) if is_count else None,
        )


def _total(values: Ints) -> int:
    """Return the exact sum of values below 2**53: int64 would overflow from 1024 of them on."""
    low, high = values & 0xFFFFFFFF, values >> 32
    return (int(high.sum()) << 32) + int(low.sum())
