"""The value of an SLO's metric over the steady phase of a level, and whether it decides the SLO.

Rules:

- A percentile of which only a lower bound is known can miss a limit, but not meet it.
- A percentile with fewer than 10 samples beyond it does not decide; but it is not below a lower
  percentile of the same times, and misses a limit that the lower one certainly misses.
- A value whose interval contains the limit is unclear. Percentiles and throughput have their own
  interval; the mean of a closed loop has that of its throughput (N is constant, Little's law); a
  share has Wilson's (JASA 22, 1927), which assumes independent workflows: failures in bursts make
  the true one wider. A share with the limit 0 is a count: one failure misses it.
- The longest time, memory and CPU have no interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES

if TYPE_CHECKING:
    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import FamilyMetrics
    from perf_pipeline.metrics.types.service_times import ServiceTimes

DROPS_NOTHING = "a closed loop has no arrivals that could be dropped"
_Z_95 = 1.959964


@dataclass(frozen=True)
class Measured:
    """A value of an SLO's metric, and whether it decides.

    Attributes:
        value: In the metric's unit; None without data.
        low: Lower end of its 95 % interval; None where there is none.
        high: Upper end, likewise.
        at_least: True when the true value is ``value`` or more.
        samples: Number of samples behind the value.
        at_s: For a sliding window, its end since the go.
        verdict: The verdict that it gives.
        why: Why it does not decide, and what would; empty otherwise.
    """

    value: float | None
    samples: int = 0
    low: float | None = None
    high: float | None = None
    at_least: bool = False
    at_s: float | None = None
    verdict: Verdict = "no_data"
    why: str = ""


def over_steady(slo: Slo, level: LevelMetrics, family: FamilyMetrics | None) -> Measured:
    """Return the value of a metric over the steady phase of a level, or of one of its families."""
    about = slo.about
    match about.kind:
        case "percentile" | "mean" | "maximum":
            times = times_of(slo, level, family)
            if times is None:
                return Measured(None, why=no_times(slo, level))
            return _of_times(slo, level, family, times)
        case "rate":
            return _rate(slo, level, family)
        case "share":
            return _share(slo, level, family)
        case "memory":
            value = level.resources.workers_pss_peak_mb
        case "cpu":
            value = level.resources.workers_cpu_mean_percent
    why = "" if value is not None else "the resource monitor has no sample of the steady phase"
    return _decided(slo, Measured(value, level.resources.samples, why=why))


def times_of(slo: Slo, level: LevelMetrics, family: FamilyMetrics | None) -> ServiceTimes | None:
    """Return the times that an SLO is about: response times in an open loop, unless it says so."""
    if is_response(slo, level):
        return level.response_times if family is None else None
    return level.service_times if family is None else family.service_times


def is_response(slo: Slo, level: LevelMetrics) -> bool:
    """Return whether the SLO is about response times at this level."""
    times = slo.about.times
    return times == "response" or (times == "latency" and level.loop == "open")


def no_times(slo: Slo, level: LevelMetrics) -> str:
    """Return why there are no such times."""
    if level.loop == "closed":
        return (
            "a closed loop has no response times, because no schedule makes workflows wait; use "
            f"{slo.metric.replace('response_', 'service_')}, or load it with [[arrivals]]"
        )
    return (
        "response times over the steady phase are known only for all workflows together; "
        "give window_s, which is judged from the records, or leave out family"
    )


def _of_times(
    slo: Slo, level: LevelMetrics, family: FamilyMetrics | None, times: ServiceTimes
) -> Measured:
    samples = times.samples + times.in_flight_at_end
    if slo.about.kind == "maximum":
        return _decided(slo, Measured(times.max_s, samples))
    if slo.about.kind == "mean":
        low, high = _mean_interval(level, times) if family is None else (None, None)
        return _decided(slo, Measured(times.avg_s, samples, low, high))
    found = times.percentile(slo.about.p)
    if found is None:
        return Measured(None, samples, why="the metrics of this level do not have this percentile")
    if found.value_s is None:
        return Measured(None, samples, why="no workflow ended in the steady phase")
    value = Measured(found.value_s, samples, found.low_s, found.high_s, at_least=found.at_least)
    if not found.at_least and found.is_weak:
        bound = _bound_from_below(slo, times, found.p)
        return bound or _undecided(
            value,
            f"{found.samples_beyond} samples lie beyond it (at least {MIN_TAIL_SAMPLES}): run "
            f"longer, until about {round(MIN_TAIL_SAMPLES / (1 - found.p)):,} workflows have ended",
        )
    return _decided(slo, value)


def _bound_from_below(slo: Slo, times: ServiceTimes, p: float) -> Measured | None:
    """Return the lower percentile that misses the limit of an SLO about percentile ``p``, if any.

    Only one with enough samples, whose interval does not reach the limit, is taken.
    """
    samples = times.samples + times.in_flight_at_end
    for lower in times.percentiles:
        if lower.p < p and lower.low_s is not None and not lower.is_weak:
            bound = Measured(lower.value_s, samples, lower.low_s, at_least=True)
            decided = _decided(slo, bound)
            if decided.verdict == "missed":
                return decided
    return None


def _mean_interval(level: LevelMetrics, times: ServiceTimes) -> tuple[float | None, float | None]:
    """Return the interval of a closed loop's mean, as wide in ratio as its throughput's."""
    rate, low, high = (
        level.throughput_per_s,
        level.throughput_low_per_s,
        level.throughput_high_per_s,
    )
    if level.loop == "open" or not (rate and low and high) or times.avg_s is None:
        return None, None
    return times.avg_s * rate / high, times.avg_s * rate / low


def _rate(slo: Slo, level: LevelMetrics, family: FamilyMetrics | None) -> Measured:
    if family is not None:
        return _decided(slo, Measured(family.throughput_per_s, family.service_times.samples))
    return _decided(
        slo,
        Measured(
            level.throughput_per_s,
            level.service_times.samples,
            level.throughput_low_per_s,
            level.throughput_high_per_s,
        ),
    )


def _share(slo: Slo, level: LevelMetrics, family: FamilyMetrics | None) -> Measured:
    if slo.metric == "dropped_ratio":
        return _dropped(slo, level, family)
    ratio = level.error_ratio if family is None else family.error_ratio
    samples = (level if family is None else family).service_times.samples
    if ratio is None:
        return Measured(None, samples, why="no workflow ended in the steady phase")
    return _decided(slo, Measured(ratio, samples, *_share_interval(slo, ratio, samples)))


def _dropped(slo: Slo, level: LevelMetrics, family: FamilyMetrics | None) -> Measured:
    if level.open_load is None:
        return Measured(None, why=DROPS_NOTHING)
    if family is not None:
        return Measured(
            None,
            why="drops over the steady phase are counted for all workflows; leave out family",
        )
    start_s, end_s = level.phases.get("steady", (0.0, 0.0))
    inside = [
        second
        for second in level.open_load.seconds
        if second.t_s >= start_s and second.t_s + 1 <= end_s
    ]
    scheduled = sum(second.scheduled for second in inside)
    if not scheduled:
        return Measured(None, why="no workflow was scheduled in the steady phase")
    ratio = sum(second.dropped for second in inside) / scheduled
    return _decided(slo, Measured(ratio, scheduled, *_share_interval(slo, ratio, scheduled)))


def _share_interval(slo: Slo, ratio: float, samples: int) -> tuple[float | None, float | None]:
    """Return Wilson's interval; none for the limit 0, which is a count."""
    return wilson(ratio, samples) if slo.limit else (None, None)


def wilson(ratio: float, samples: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share, 0 to 1, of ``samples`` > 0."""
    square = _Z_95**2 / samples
    middle = (ratio + square / 2) / (1 + square)
    half = math.sqrt(ratio * (1 - ratio) * square + square**2 / 4) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def _decided(slo: Slo, value: Measured) -> Measured:
    """Return the value with its verdict: ``no_data`` for None."""
    if value.value is None:
        return _undecided(value, value.why or "it was not measured")
    is_within = value.value <= slo.limit if slo.at_most else value.value >= slo.limit
    if value.at_least and is_within:
        return _undecided(
            value,
            "so many workflows had not ended that only a lower bound is known, and that is within "
            "the limit: run longer, or at less load",
        )
    high = math.inf if value.high is None else value.high
    if value.low is not None and value.low <= slo.limit <= high and value.low < high:
        why = "the interval contains the limit: run longer, or with --repeats, for a narrower one"
        return replace(value, verdict="unclear", why=why)
    return replace(value, verdict="met" if is_within else "missed", why="")


def _undecided(value: Measured, why: str) -> Measured:
    return replace(value, verdict="no_data", why=why)
