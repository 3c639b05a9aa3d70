"""The figures of the selftest leaks."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.endurance.leak import judge_leak
from perf_pipeline.analysis.endurance.signal_series import SignalSeries
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.leaks.shapes import PLAIN, SAMPLE_S, SAMPLES, SHAPES, signal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict

REPEATS = {Size.CI: 6, Size.FULL: 100}
_log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Judge simulated signals."""
    repeats = REPEATS[size]
    healthy = {shape: _verdicts(shape, 0.0, repeats, seed) for shape in SHAPES}
    _log.info("signals without a leak are judged")
    small = {shape: _verdicts(shape, 0.02, repeats, seed) for shape in PLAIN}
    large = {shape: _verdicts(shape, 0.05, repeats, seed) for shape in PLAIN}
    _log.info("signals with a leak are judged")
    figures = [_false_leaks(healthy)]
    figures += [
        Figure(f"healthy signals called a leak: {shape}", _share(found, "leak"), "%", 5.0)
        for shape, found in healthy.items()
    ]
    figures.append(_power(small, "2", 80.0))
    figures.append(_power(large, "5", 95.0))
    figures.append(_called_clean(large))
    return figures


def _verdicts(shape: str, growth: float, repeats: int, seed: int) -> list[LeakVerdict]:
    seconds = tuple((SAMPLE_S * np.arange(SAMPLES)).tolist())
    found = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, SHAPES.index(shape), round(1e4 * growth), repeat])
        values = signal(rng, shape, growth)
        found.append(judge_leak(SignalSeries(shape, seconds, tuple(values.tolist()))))
    return found


def _share(found: Sequence[LeakVerdict], verdict: str) -> float:
    return 100.0 * sum(one.verdict == verdict for one in found) / len(found)


def _all(found: dict[str, list[LeakVerdict]]) -> list[LeakVerdict]:
    return [one for each in found.values() for one in each]


def _counted(found: Sequence[LeakVerdict]) -> str:
    counts = Counter(one.verdict for one in found)
    shown = ", ".join(f"{counts[word]} {word}" for word in ("leak", "inconclusive", "clean"))
    return f"of {len(found)}: {shown}"


def _false_leaks(healthy: dict[str, list[LeakVerdict]]) -> Figure:
    found = _all(healthy)
    what = "healthy signals called a leak, all shapes"
    return Figure(what, _share(found, "leak"), "%", 1.0, note=_counted(found))


def _power(leaking: dict[str, list[LeakVerdict]], percent: str, limit: float) -> Figure:
    found = _all(leaking)
    what = f"leaks of {percent} % in 24 h called a leak"
    return Figure(what, _share(found, "leak"), "%", limit, at_most=False, note=_counted(found))


def _called_clean(leaking: dict[str, list[LeakVerdict]]) -> Figure:
    found = _all(leaking)
    what = "leaks of 5 % in 24 h called clean"
    return Figure(what, _share(found, "clean"), "%", 0.0, note=_counted(found))
