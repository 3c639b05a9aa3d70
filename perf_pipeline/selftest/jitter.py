"""Starts are at most 0.1 ms late at the median from 1 to 2000 a second, without spinning.

16 threads wait for their time with a timer slack of 1 ns and execute workflows that do nothing, so
what is late is the generator and the machine. Absolute times belong to size full: a machine that
others use at the same time shows their load.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.played_level import play

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.selftest.loads.played_level import PlayedLevel

SLOTS = 16
NO_OP = "perf_pipeline.targets.no_op:work"
LENGTHS_S = {
    Size.CI: {100.0: 1.0, 1000.0: 1.0},
    Size.FULL: {1.0: 25.0, 100.0: 15.0, 500.0: 15.0, 1000.0: 15.0, 2000.0: 15.0},
}
MAX_LAG_US = 100
MAX_CPU_PERCENT = 5.0
MOST_OF_A_GAP = 0.25
"""At size ci: the median lag against the mean time between two starts. At 1000/s that is 250 µs,
three times what a quiet machine shows."""

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Play each rate and look how late starts are."""
    figures: list[Figure] = []
    for rate_per_s, length_s in LENGTHS_S[size].items():
        log.info("jitter: %g/s for %g s", rate_per_s, length_s)
        # So few that chance would decide how many there are at all come evenly.
        arrivals = Arrivals(
            "jitter", "constant" if rate_per_s == 1.0 else "poisson", rate_per_s, length_s, SLOTS
        )
        played = play(arrivals, NO_OP, seed=seed)
        figures += _exact(rate_per_s, played)
        figures += _absolute(rate_per_s, played, claimed=size is Size.FULL)
    return figures


def _exact(rate_per_s: float, played: PlayedLevel) -> Iterator[Figure]:
    at = f"{rate_per_s:g}/s"
    late = played.load.scheduled - played.metrics.outcomes["ok"] + len(played.metrics.cold_starts)
    yield Figure(f"{at}: arrivals that did not end well", late, "workflows", 0)
    early = played.load.unexplained
    yield Figure(f"{at}: started before their time, or unexplained", early, "workflows", 0)
    told = played.facts.get("timer_slack_ns", "not told")
    slack_ns = int(told) if told.isdigit() else None
    yield Figure(f"{at}: timer slack in the manifest", slack_ns, "ns", 1, note=told)


def _absolute(rate_per_s: float, played: PlayedLevel, *, claimed: bool) -> Iterator[Figure]:
    at, lag = f"{rate_per_s:g}/s", played.load.lag
    p50_us = None if lag.p50_s is None else lag.p50_s * 1e6
    note = "" if lag.p99_s is None else f"p99 {lag.p99_s * 1e6:.0f} us"
    limit_us = MAX_LAG_US if claimed else None
    yield Figure(f"{at}: median start lag", p50_us, "us", limit_us, note=note)
    if claimed:
        yield Figure(f"{at}: CPU of the worker", played.cpu_percent, "%", MAX_CPU_PERCENT)
    else:
        share = None if lag.p50_s is None else lag.p50_s * rate_per_s
        yield Figure(f"{at}: median start lag / time between starts", share, "", MOST_OF_A_GAP)
