"""What a level that is no steady measurement still decides: bounds that a longer one cannot lift.

A level that was too short, or whose queue grew, has no value that another run would reproduce. It
may all the same be sure that a limit is missed:

- A queue that grew (open loop): the target had more to do than it can do. In a longer level times,
  timeouts and drops only grow, and the throughput is what the target could do.
- Workflows that had not ended: each lasted at least as long as it had been in flight, so a
  percentile or a mean is at least what these times give. It takes ``MIN_TAIL_SAMPLES`` of them.
- The throughput of a closed loop is at most that of all that ended ok and all that were in flight
  at the end, as if those had ended ok at that moment.
- The longest time, and a limit of no failure at all, are missed by one workflow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.steady import Measured, is_response, times_of
from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES

if TYPE_CHECKING:
    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import FamilyMetrics

SHORT = ("valid", "not_steady", "too_few_samples")
"""Validities that a level may have only because it was too short, or its queue grew."""


def surely_missed(
    slo: Slo, level: LevelMetrics, family: FamilyMetrics | None, found: Measured
) -> Measured | None:
    """Return the value with which a level without a steady state misses a limit; None if unsure.

    Args:
        slo: The objective.
        level: A level whose validity, but for neighbours, is one of ``SHORT``.
        family: Only workflows of this kind; None for all together.
        found: The value over the steady phase, or the worst window, with its own verdict.
    """
    is_missed = found.verdict == "missed"
    if is_missed and (_queue_grew(level) and slo.about.by_family):
        return found
    if slo.about.kind == "mean" and not slo.window_s:
        return _mean(slo, level, family)
    is_sure = False
    match slo.about.kind:
        case "percentile":
            is_sure = _has_many_unended(slo, level, family, found)
        case "maximum":
            is_sure = True
        case "share":
            is_sure = not slo.limit
        case "rate" if not slo.window_s:
            is_sure = _rate_stays_below(slo, level, family)
    return found if is_missed and is_sure else None


def _queue_grew(level: LevelMetrics) -> bool:
    return level.open_load is not None and bool(level.open_load.queue_grew)


def _has_many_unended(
    slo: Slo, level: LevelMetrics, family: FamilyMetrics | None, found: Measured
) -> bool:
    times = times_of(slo, level, family)
    return found.at_least and times is not None and times.in_flight_at_end >= MIN_TAIL_SAMPLES


def _mean(slo: Slo, level: LevelMetrics, family: FamilyMetrics | None) -> Measured | None:
    """Return the mean with each workflow at its time in the phase, if that is above the limit."""
    times = times_of(slo, level, family)
    if times is None or times.in_flight_at_end < MIN_TAIL_SAMPLES:
        return None
    count = times.samples + times.in_flight_at_end
    if is_response(slo, level):
        total_s = (times.avg_s or 0.0) * count
    elif times.avg_s is not None:
        total_s = times.avg_s * times.samples
    else:  # nothing ended: as many as the fewest in flight were there all the time
        minimum = 0 if family is not None else level.in_flight.minimum or 0
        total_s = minimum * _steady_length_s(level)
    bound = Measured(total_s / count, count, at_least=True)
    return replace(bound, verdict="missed") if bound.value and bound.value > slo.limit else None


def _rate_stays_below(slo: Slo, level: LevelMetrics, family: FamilyMetrics | None) -> bool:
    length_s = _steady_length_s(level)
    of = level if family is None else family
    if level.loop == "open" or not length_s or of.throughput_per_s is None:
        return False
    return of.throughput_per_s + of.service_times.in_flight_at_end / length_s < slo.limit


def _steady_length_s(level: LevelMetrics) -> float:
    start_s, end_s = level.phases.get("steady", (0.0, 0.0))
    return end_s - start_s
