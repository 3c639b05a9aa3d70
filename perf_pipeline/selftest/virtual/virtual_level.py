"""A level of a queue in virtual time, measured and judged with the functions of a run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.queueing import little_of
from perf_pipeline.analysis.slo.judge import judge_slos
from perf_pipeline.metrics.records.in_flight import InFlightCurve
from perf_pipeline.metrics.steady.steady_state import steady_state_of
from perf_pipeline.metrics.survival.intervals import throughput_interval
from perf_pipeline.metrics.survival.outcomes import ended_within
from perf_pipeline.metrics.survival.window_times import (
    response_times,
    scheduled_within,
    service_times,
)
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.open_load import Lag, OpenLoad
from perf_pipeline.metrics.types.records import InFlight
from perf_pipeline.metrics.types.resource_use import Resources
from perf_pipeline.metrics.validity import judge_level
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from perf_pipeline.analysis.queueing import Little
    from perf_pipeline.config.slo.slo import Slo

_NO_LAG = Lag(0, None, None, None)
_NOTHING_USED = Resources(None, None, None, None, None, 0, 0)


def virtual_level(
    frame: pl.DataFrame, window: tuple[int, int], slos: Sequence[Slo], *, slots: int | None
) -> tuple[LevelMetrics, Little | None]:
    """Measure records of workflows that all ended ok, and judge their objectives.

    Args:
        frame: Records of ``SCHEMA``; the level's go is at 0.
        window: Planned steady phase, ns; before it lies the warm-up.
        slos: The objectives.
        slots: Workflows in flight of a closed level; None for an open one.
    """
    is_open = slots is None
    steady = steady_state_of(frame, go_ns=0, began_ns=0, window=window, slots=slots)
    if steady.starts_s is not None:
        window = (max(window[0], round(steady.starts_s * 1e9)), window[1])
    length_s = (window[1] - window[0]) / 1e9
    times = service_times(frame, *window)
    response = response_times(frame, *window) if is_open else None
    load = _open_load(frame, window) if is_open else None
    median, minimum = InFlightCurve.of(frame).median_and_min(*window)
    validity, reasons = judge_level(
        ended_because=EndedBecause.COMPLETE,
        ended_detail="",
        workers=(),
        damaged_blocks=0,
        duplicates=0,
        writes=(),
        times=times,
        concurrency=slots or 1,
        in_flight_median=median,
        open_load=load,
        response=response,
        steady_state=steady,
    )
    ended = ended_within(frame, *window).height
    rate = throughput_interval(frame, *window)
    level = LevelMetrics(
        index=0,
        label="virtual",
        role="level",
        repeat=0,
        target="virtual",
        nodes="",
        concurrency=slots or 1,
        validity=validity,
        reasons=reasons,
        outcomes={"ok": frame.height},
        steady_outcomes={"ok": ended},
        error_classes={},
        steady_error_classes={},
        error_examples={},
        phases={"steady": (window[0] / 1e9, window[1] / 1e9)},
        throughput_per_s=ended / length_s,
        throughput_low_per_s=rate.low,
        throughput_high_per_s=rate.high,
        error_ratio=0.0 if ended else None,
        turnovers=ended / slots if slots else None,
        service_times=times,
        response_times=response,
        families=(),
        in_flight=InFlight(slots or 1, median, minimum, {}, 0),
        fairness=None,
        cold_starts=(),
        writes=(),
        connections=(),
        resources=_NOTHING_USED,
        workers=(),
        seconds=(),
        started_at="",
        ended_at="",
        loop="open" if is_open else "closed",
        open_load=load,
        steady_state=steady,
    )
    since = "intended_start_ns" if is_open else "start_ns"
    return replace(level, slos=judge_slos(slos, level)), little_of(frame, *window, since)


def _open_load(frame: pl.DataFrame, window: tuple[int, int]) -> OpenLoad:
    length_s = (window[1] - window[0]) / 1e9
    return OpenLoad(
        offered="virtual",
        schedule="poisson",
        slots=0,
        start_timeout_s=0.0,
        scheduled=frame.height,
        offered_per_s=scheduled_within(frame, *window).height / length_s,
        left_per_s=ended_within(frame, *window).height / length_s,
        never_started=0,
        checked=frame.height,
        unexplained=0,
        lag=_NO_LAG,
        control_lag=None,
        control_why_not="in virtual time no generator is late",
        seconds=(),
    )
