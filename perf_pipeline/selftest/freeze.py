"""A target that freezes for 2 s under 500 arrivals a second has the p99 that arithmetic says.

Arrivals come evenly at ``r`` a second, ``c`` slots serve ``c / s`` a second, and the target freezes
for ``S`` seconds. What arrives ``u`` seconds into the freeze waits for its end and for the
``r u`` workflows before it: its response time is ``S - u + u r s / c + s``. So of ``n = r D``
arrivals the share ``q`` that took longest came within the first ``q D`` seconds, and the quantile
``1 - q`` is that time at ``u = q D``. The service times, from the start, know nothing of it.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.known.freezing import LONG, SERVICE_S, SHORT
from perf_pipeline.selftest.loads.played_level import play

if TYPE_CHECKING:
    from perf_pipeline.selftest.known.freezing import Stall
    from perf_pipeline.selftest.loads.played_level import PlayedLevel

RATE_PER_S = 500.0
SLOTS = 10
KNOWN = "perf_pipeline.selftest.known.freezing"
OUTCOMES = ("ok", "error", "timeout", "dropped", "abandoned")

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Let a target freeze, and again with workflows that wait for no more than a quarter of it."""
    full = size is Size.FULL
    stall, function, length_s = (LONG, "long", 60.0) if full else (SHORT, "short", 2.5)
    arrivals = Arrivals("freeze", "constant", RATE_PER_S, length_s, SLOTS)
    log.info("freeze: %g/s for %g s, %g s of them frozen", RATE_PER_S, length_s, stall.length_s)
    played = play(arrivals, f"{KNOWN}:{function}", seed=seed)
    figures = [_p99(played, analytic_s(0.01, stall, length_s)), *_sums("freeze", played)]
    figures.append(
        Figure(
            "p99 of the service times in the same run",
            played.metrics.service_times.p99.value_s,
            "s",
            None,
            note="what a tool that stamps the start when a slot is free shows as latency",
        )
    )
    if full:
        brief = replace(arrivals, start_timeout_s=stall.length_s / 4, duration_s=15.0)
        dropping = play(brief, f"{KNOWN}:{function}", seed=seed)
        figures += _sums("freeze with a start timeout", dropping)
        dropped = dropping.metrics.outcomes["dropped"]
        # All that arrived in the first three quarters of the freeze, but those in the slots.
        max_dropped = RATE_PER_S * stall.length_s * 3 / 4
        figures.append(Figure("dropped", dropped, "workflows", 0.9 * max_dropped, at_most=False))
    return figures


def analytic_s(share: float, stall: Stall, length_s: float) -> float:
    """Return the response time that ``share`` of the arrivals exceed, s."""
    into_s = share * length_s
    return stall.length_s - into_s * (1 - RATE_PER_S * SERVICE_S / SLOTS) + SERVICE_S


def _p99(played: PlayedLevel, truth_s: float) -> Figure:
    times = played.metrics.response_times
    found_s = times.p99.value_s if times else None
    return Figure(
        "p99 of the response times against the analytic value",
        None if found_s is None else 100 * abs(found_s / truth_s - 1),
        "%",
        2.0,
        note=f"{found_s} s, analytic {truth_s:.4f} s",
    )


def _sums(what: str, played: PlayedLevel) -> list[Figure]:
    load = played.load
    off = [
        abs(second.scheduled - sum(getattr(second, name) for name in OUTCOMES))
        for second in load.seconds
    ]
    planned = sum(second.scheduled for second in load.seconds)
    counted = sum(played.metrics.outcomes.values()) - len(played.metrics.cold_starts)
    return [
        Figure(
            f"{what}: arrivals without an outcome, or with two",
            sum(off) + abs(planned - counted) + abs(planned - load.scheduled),
            "workflows",
            0,
            note=f"{planned} scheduled",
        ),
        Figure(f"{what}: records whose times do not add up", load.unexplained, "records", 0),
    ]
