"""The figures of the selftest leaks."""

from __future__ import annotations

import logging
import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.endurance.leak import DAY_HOURS, judge_leak
from perf_pipeline.analysis.endurance.run_leaks import judge_run
from perf_pipeline.analysis.endurance.signal_series import SignalSeries
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.held_out_leaks import leaking_shapes, series, shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict, LeakWord

    Found = Mapping[str, Sequence[LeakVerdict]]

REPEATS = {Size.CI: 4, Size.FULL: 100}
SMALL, LARGE = 0.02, 0.05
RUN_SIGNALS = 20
MAX_RUNS = 200
_log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Judge simulated signals."""
    repeats = REPEATS[size]
    healthy = {shape: _judged(shape, 0.0, repeats, seed) for shape in shapes()}
    _log.info("signals without a leak are judged")
    small, large = (
        {shape: _judged(shape, growth, repeats, seed) for shape in leaking_shapes()}
        for growth in (SMALL, LARGE)
    )
    _log.info("signals with a leak are judged")
    return [
        _share("healthy signals called a leak, all shapes", "leak", healthy, 1.0),
        *(
            _share(f"healthy signals called a leak: {shape}", "leak", {shape: found}, 5.0)
            for shape, found in healthy.items()
        ),
        _power("leaks of 2 % in 24 h called a leak", small, 80.0),
        _power("leaks of 5 % in 24 h called a leak", large, 95.0),
        *(_visible(growth, leaking) for growth, leaking in ((SMALL, small), (LARGE, large))),
        *(
            _share(
                f"leaks of {growth} in 24 h called a leak: {shape}", "leak", {shape: found}, None
            )
            for growth, leaking in (("2 %", small), ("5 %", large))
            for shape, found in leaking.items()
        ),
        _share("leaks of 2 % in 24 h called clean", "clean", small, None),
        _share("leaks of 5 % in 24 h called clean", "clean", large, 0.0),
        *_runs(healthy, large, seed),
    ]


def _judged(shape: str, growth: float, repeats: int, seed: int) -> list[LeakVerdict]:
    found = []
    for repeat in range(repeats):
        key = [seed, shapes().index(shape), round(1e4 * growth), repeat]
        one = series(shape, np.random.default_rng(key), leak_per_day=growth)
        seconds, values, workflows = (
            tuple(each.tolist()) for each in (one.seconds, one.value, one.workflows)
        )
        found.append(judge_leak(SignalSeries(shape, seconds, values, workflows)))
    return found


def _share(what: str, verdict: LeakWord, found: Found, limit: float | None) -> Figure:
    every = [one.verdict for each in found.values() for one in each]
    counts = Counter(every)
    note = ", ".join(f"{counts[word]} {word}" for word in ("leak", "inconclusive", "clean"))
    return Figure(what, 100.0 * counts[verdict] / len(every), "%", limit, note=note)


def _power(what: str, leaking: Found, limit: float) -> Figure:
    return replace(_share(what, "leak", leaking, limit), at_most=False)


def _visible(growth: float, leaking: Found) -> Figure:
    """Return how many of the leaks that a signal says it can see are called one."""
    every = [one for found in leaking.values() for one in found]
    seen = [one for one in every if _smallest_visible(one) <= growth]
    called = sum(one.verdict == "leak" for one in seen)
    return Figure(
        f"leaks of {100 * growth:g} % in 24 h called a leak, where one of this size is visible",
        100.0 * called / len(seen) if seen else None,
        "%",
        80.0,
        at_most=False,
        note=f"{len(seen)} of {len(every)} signals say that it is",
    )


def _smallest_visible(one: LeakVerdict) -> float:
    """Return the smallest leak that a signal shows, in 24 hours, as a share of its level."""
    if one.smallest_visible is None or not one.level:
        return math.inf
    return one.smallest_visible * DAY_HOURS / one.level


def _runs(healthy: Found, leaking: Found, seed: int) -> list[Figure]:
    """Judge runs of many signals: all of them healthy, and with a leak in one of them."""
    rng = np.random.default_rng([seed, RUN_SIGNALS])
    every = [one for each in healthy.values() for one in each]
    leaks = [one for each in leaking.values() for one in each]
    words: dict[str, list[str]] = {"healthy": [], "leaking": []}
    for _ in range(min(MAX_RUNS, len(every) // 2)):
        signals = [every[place] for place in rng.permutation(len(every))[:RUN_SIGNALS]]
        words["healthy"].append(_verdict(signals))
        signals[0] = leaks[int(rng.integers(len(leaks)))]
        words["leaking"].append(_verdict(signals))
    count = len(words["healthy"])
    false, seen, clean = (
        100.0 * words[of].count(verdict) / count
        for of, verdict in (("healthy", "leak"), ("leaking", "leak"), ("leaking", "clean"))
    )
    note = f"of {count} runs of {RUN_SIGNALS} signals"
    return [
        Figure("healthy runs called a leak", false, "%", 2.0, note=note),
        Figure("runs with a leak of 5 % called a leak", seen, "%", None, note=note),
        Figure("runs with a leak of 5 % called clean", clean, "%", 0.0, note=note),
    ]


def _verdict(signals: Sequence[LeakVerdict]) -> str:
    return judge_run(
        [replace(one, name=f"server{at}.sessions") for at, one in enumerate(signals)]
    ).verdict
