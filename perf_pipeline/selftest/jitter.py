"""Starts are at most 0.1 ms late at the median from 100 to 2000 a second, without spinning.

At one start a second the core has been idle for so long that it wakes late by itself: there the
limit is what a thread that does nothing but sleep shows on the same machine right after.

16 threads wait for their time with a timer slack of 1 ns and execute workflows that do nothing, so
what is late is the generator and the machine. That none of them spins is judged against a bare
loop on the same arrivals right after: the same threads, which sleep, call the function and keep no
record. Absolute times belong to size full: a machine that others use at the same time shows their
load.
"""

from __future__ import annotations

import logging
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.host.process_cpu import process_cpu_s
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.bare_loop import BareLoop
from perf_pipeline.selftest.loads.only_level import PYTHON, open_level
from perf_pipeline.selftest.loads.played_level import PHASES, play
from perf_pipeline.worker.timer_slack import tighten_timers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.selftest.loads.played_level import PlayedLevel

SLOTS = 16
NO_OP = "perf_pipeline.targets.no_op:work"
IDLE_PER_S = 1.0
LENGTHS_S = {
    Size.CI: {100.0: 1.0, 1000.0: 1.0},
    Size.FULL: {IDLE_PER_S: 25.0, 100.0: 10.0, 500.0: 10.0, 1000.0: 10.0, 2000.0: 10.0},
}
MAX_LAG_US = 100.0
SLEEPS = 15
MAX_CPU_RATIO, SPARE_CPU_PERCENT = 2.0, 1.0
"""The worker may use this many times the CPU of the bare loop, and one percent of a core for what
it does at no rate at all: at one start a second it used 0.34 to 0.62 % (seeds 11 to 13). One
thread that spins would use a hundred."""

MAX_GAP_SHARE = 0.25
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
            "jitter",
            "constant" if rate_per_s == IDLE_PER_S else "poisson",
            rate_per_s,
            length_s,
            SLOTS,
        )
        played = play(arrivals, NO_OP, seed=seed)
        figures += _exact(rate_per_s, played)
        bare_percent = _bare_cpu_percent(arrivals, seed)
        limit_us = max(MAX_LAG_US, _sleep_lag_us() if rate_per_s == IDLE_PER_S else 0.0)
        figures += _absolute(rate_per_s, played, bare_percent, limit_us, claimed=size is Size.FULL)
    return figures


def _exact(rate_per_s: float, played: PlayedLevel) -> Iterator[Figure]:
    at = f"{rate_per_s:g}/s"
    late = played.load.scheduled - played.metrics.outcomes["ok"] + len(played.metrics.cold_starts)
    yield Figure(f"{at}: arrivals that did not end well", late, "workflows", 0)
    early = played.load.unexplained
    yield Figure(f"{at}: started before their time, or unexplained", early, "workflows", 0)
    fact = played.facts.get("timer_slack_ns", "unavailable")
    slack_ns = int(fact) if fact.isdigit() else None
    yield Figure(f"{at}: timer slack in the manifest", slack_ns, "ns", 1, note=fact)


def _bare_cpu_percent(arrivals: Arrivals, seed: int) -> float:
    """Return what a bare loop uses on the same arrivals, percent of a core."""
    level = open_level(NO_OP, arrivals, PHASES, seed, "callable")
    with (
        tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary,
        BareLoop(level.plan, level.job, PYTHON, Path(temporary)) as bare,
    ):
        before_s = sum(map(process_cpu_s, bare.pids))
        bare.go()
        time.sleep(arrivals.duration_s)
        return 100 * (sum(map(process_cpu_s, bare.pids)) - before_s) / arrivals.duration_s


def _sleep_lag_us() -> float:
    """Return how late a thread wakes that sleeps until each second, median, microseconds."""

    def sleep() -> list[int]:
        tighten_timers()
        first_ns = time.monotonic_ns()
        lags = []
        for number in range(1, SLEEPS + 1):
            due_ns = first_ns + round(1e9 * number / IDLE_PER_S)
            time.sleep((due_ns - time.monotonic_ns()) / 1e9)
            lags.append(time.monotonic_ns() - due_ns)
        return lags

    with ThreadPoolExecutor(1) as thread:  # of its own: the slack is that of a thread
        return median(thread.submit(sleep).result()) / 1e3


def _absolute(
    rate_per_s: float,
    played: PlayedLevel,
    bare_percent: float,
    max_lag_us: float,
    *,
    claimed: bool,
) -> Iterator[Figure]:
    at, lag = f"{rate_per_s:g}/s", played.load.lag
    p50_us = None if lag.p50_s is None else lag.p50_s * 1e6
    note = "" if lag.p99_s is None else f"p99 {lag.p99_s * 1e6:.0f} us"
    limit_us = max_lag_us if claimed else None
    yield Figure(f"{at}: median start lag", p50_us, "us", limit_us, note=note)
    if claimed:
        limit_percent = MAX_CPU_RATIO * bare_percent + SPARE_CPU_PERCENT
        what = f"{at}: CPU of the worker"
        note = f"a bare loop {bare_percent:.2f} %"
        yield Figure(what, played.cpu_percent, "% of a core", limit_percent, note=note)
    else:
        share = None if lag.p50_s is None else lag.p50_s * rate_per_s
        yield Figure(f"{at}: median start lag / time between starts", share, "", MAX_GAP_SHARE)
