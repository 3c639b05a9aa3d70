"""Why an open level is no valid measurement: late by the generator's own fault, or a queue grew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.metrics.types.open_load import BALANCE_SHARE, Lag

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.open_load import OpenLoad
    from perf_pipeline.metrics.types.service_times import ServiceTimes
    from perf_pipeline.metrics.types.validity import Validity

MIN_MEDIAN_LAG_S = 0.003
"""Threads with nothing to do start 0.02 to 0.1 ms late, tasks 0.6 ms (their timers count in
milliseconds), 1.5 on a busy machine; one other thread that holds the interpreter lock makes it
5 ms, its switch interval. What is below 3 is the generator as it should be."""

MIN_P99_LAG_S = 0.02
"""A neighbour on the same core takes it for some milliseconds now and then, from any program."""

LAG_SHARE = 0.1
"""Above both, a lag that is less than so much of the response time changes no conclusion."""


def arrival_problems(
    load: OpenLoad, response: ServiceTimes, *, has_faults: bool = False
) -> list[tuple[Validity, str]]:
    """Return why an open level is no valid measurement; empty if it is one.

    Args:
        load: The arrivals, and how late they started.
        response: Response times of the steady phase.
        has_faults: Something was made to fail in the level: a queue that grew belongs to that, and
            is judged with it (``analysis/recovery``).
    """
    problems: list[tuple[Validity, str]] = []
    if load.unexplained:
        why = f"{load.unexplained} of {load.checked} started workflows have times that do not "
        problems.append(("incomplete", f"{why}add up, or are not the plan's"))
    problems += _lag_problems(load, response)
    if load.queue_grew and not has_faults:
        why = f"{load.offered_per_s:.4g} workflows/s arrived in the steady phase and "
        why += f"{load.left_per_s:.4g}/s left "
        why += f"(at least {1 - BALANCE_SHARE:.0%}): the queue grew, and response times with it"
        problems.append(("not_steady", why))
    return problems


def _lag_problems(load: OpenLoad, response: ServiceTimes) -> list[tuple[Validity, str]]:
    problems: list[tuple[Validity, str]] = []
    p50, *_, p99 = response.percentiles
    own = load.control_lag or Lag(0, None, None, None)
    compared = [("half", load.lag.p50_s, own.p50_s, p50.value_s, MIN_MEDIAN_LAG_S)]
    if own.samples >= 100 * MIN_TAIL_SAMPLES:
        compared.append(("1 %", load.lag.p99_s, own.p99_s, p99.value_s, MIN_P99_LAG_S))
    for share, late_s, own_s, took_s, min_s in compared:
        limit_s = max(min_s, LAG_SHARE * (took_s or 0.0))
        if late_s is None or late_s <= limit_s:
            continue
        if own_s is None:
            why = f"{share} of the workflows started {late_s * 1e3:.3g} ms late or more, and "
            why += f"whether by our fault is not known: {load.control_why_not}"
            problems.append(("incomplete", why))
        elif own_s > limit_s:
            why = f"{share} of the workflows that do nothing started {own_s * 1e3:.3g} ms late "
            why += f"or more on the same schedule (at most {limit_s * 1e3:.3g} ms): the load "
            why += "generator or this machine, not the target, was late; lower the rate, or "
            why += "raise processes or slots"
            problems.append(("generator_limited", why))
    return problems
