"""The end of the warm-up is found from the series, and a drift is not taken for a steady state.

Series of 1000 values around 1 with noise of 10 % and an autocorrelation of 0, 0.5 and 0.8 in turn,
judged by the function that judges a level. A quarter each: noise alone; a
step of 20 to 50 % up or down after 10 to 35 % of the series; a decay from 100 to 300 % above, as
cold caches give it, which has ended where 5 % is left, after 10 to 35 %; a drift of 40 to 80 % up
or down over the whole series.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.steady.steady_state import judge_series
from perf_pipeline.metrics.types.steady_state import MIN_RATIO
from perf_pipeline.selftest.figure import Figure, Size

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.survival_curve import Floats
    from perf_pipeline.metrics.types.steady_state import SteadyState

VALUES = 1000
NOISE = 0.1
AUTOCORRELATIONS = (0.0, 0.5, 0.8)
SERIES = {Size.CI: 200, Size.FULL: 2000}
SHAPES = ("none", "step", "decay", "drift")
NEAR_RATIO = 0.25
_SETTLING = 100
_log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Judge series whose truth is known."""
    found: dict[str, list[tuple[float, SteadyState]]] = {shape: [] for shape in SHAPES}
    for number in range(SERIES[size]):
        rng = np.random.default_rng([seed, number])
        shape = SHAPES[number % len(SHAPES)]
        correlation = AUTOCORRELATIONS[number // len(SHAPES) % len(AUTOCORRELATIONS)]
        truth, series = _series(shape, correlation, rng)
        verdict = judge_series({"throughput": series}, planned=0, cell_s=1.0)
        found[shape].append((truth, verdict))
    _log.info("%d series judged", SERIES[size])
    warm = found["step"] + found["decay"]
    near = [
        verdict.starts_s is not None and abs(verdict.starts_s - truth) <= NEAR_RATIO * truth
        for truth, verdict in warm
    ]
    drifts = [verdict.verdict == "not_steady" for _, verdict in found["drift"]]
    called = [
        verdict.verdict == "not_steady" or bool(verdict.starts_s) for _, verdict in found["none"]
    ]
    lost = [verdict.verdict == "not_steady" for _, verdict in warm]
    return [
        _share("end of warm-up within 25 % of the truth", near, 90.0),
        _share("drift called not steady", drifts, 95.0),
        _share("warm-up or drift called where there is none", called, 5.0, at_most=True),
        _share("warm-up that ends called not steady", lost, 5.0, at_most=True),
    ]


def _series(shape: str, correlation: float, rng: np.random.Generator) -> tuple[float, Floats]:
    """Return the index at which the warm-up has ended, and the series: float64[VALUES]."""
    at = np.arange(VALUES)
    end = float(rng.uniform(0.1, 0.35) * VALUES)
    sign = float(rng.choice([-1.0, 1.0]))
    series = 1.0 + NOISE * _noise(correlation, rng)
    if shape == "step":
        end = float(math.ceil(end))
        series += np.where(at < end, sign * rng.uniform(0.2, 0.5), 0.0)
    elif shape == "decay":
        height = rng.uniform(1.0, 3.0)
        series += height * np.exp(-at / (end / math.log(height / MIN_RATIO)))
    elif shape == "drift":
        series += sign * rng.uniform(0.4, 0.8) * (at / VALUES - 0.5)
    return end, series


def _noise(correlation: float, rng: np.random.Generator) -> Floats:
    """Return autocorrelated noise of variance 1: float64[VALUES]."""
    draws = rng.normal(size=VALUES + _SETTLING) * math.sqrt(1.0 - correlation**2)
    last, values = 0.0, np.empty(len(draws))
    for index, draw in enumerate(draws.tolist()):
        last = correlation * last + draw
        values[index] = last
    return values[_SETTLING:]


def _share(what: str, successes: list[bool], limit: float, *, at_most: bool = False) -> Figure:
    percent = 100.0 * sum(successes) / len(successes)
    return Figure(what, percent, "%", limit, at_most, f"of {len(successes)} series")
