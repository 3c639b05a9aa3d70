"""The end of the warm-up is found from the series, and a drift is not taken for a steady state.

Series of 1000 values around 1 with noise of 10 % and an autocorrelation of 0, 0.5 and 0.8 in turn,
judged by the function that judges a level. A quarter each: noise alone; a
step of 20 to 50 % up or down after 10 to 35 % of the series; a decay from 100 to 300 % above, as
cold caches give it, which has ended where 5 % is left, after 10 to 35 %; a drift of 40 to 80 % up
or down over the whole series.

A level ends its warm-up early when its series seems steady. Whether that is right is judged on
such shapes with a warm-up of 0.3 to 8 s at most, in cells of 0.1 s of 100 workflows each: the same
series, once with the warm-up of ``WARM_UP_S`` and once with the end that ``WarmUpWatch`` finds,
each followed by a steady phase of 20 s. Neither may more levels be called not steady, nor more be
valid with a mean that is 5 % off.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.loadgen.supervise.warm_up_watch import WarmUpWatch
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
CELL_S, A_CELL = 0.1, 100
WARM_UP_S, WARM_UP_MIN_S, STEADY_CELLS = 5.0, 1.0, 200
EARLY_SHAPES = ("none", "step", "decay")
OFF_RATIO = 0.05
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
        *_early_ends(size, seed),
    ]


def _early_ends(size: Size, seed: int) -> list[Figure]:
    """Compare levels whose warm-up ends early with the same levels and a fixed warm-up."""
    lost: dict[str, list[bool]] = {"fixed": [], "early": []}
    off: dict[str, list[bool]] = {"fixed": [], "early": []}
    ends_s = []
    for number in range(SERIES[size]):
        rng = np.random.default_rng([seed, 1, number])
        shape = EARLY_SHAPES[number % len(EARLY_SHAPES)]
        correlation = AUTOCORRELATIONS[number // len(EARLY_SHAPES) % len(AUTOCORRELATIONS)]
        series = A_CELL * _short_warm_up(shape, correlation, rng)
        early = _end_by_watch(series)
        ends_s.append(early * CELL_S)
        for way, end in (("fixed", round(WARM_UP_S / CELL_S)), ("early", early)):
            level = series[: end + STEADY_CELLS]
            verdict = judge_series({"throughput": level}, planned=end, cell_s=CELL_S)
            lost[way].append(verdict.starts_s is None)
            if verdict.starts_s is not None:
                mean = float(level[round(verdict.starts_s / CELL_S) :].mean()) / A_CELL
                off[way].append(abs(mean - 1.0) > OFF_RATIO)
    fixed = {name: 100.0 * sum(of["fixed"]) / SERIES[size] for name, of in _named(lost, off)}
    early_ones = {name: 100.0 * sum(of["early"]) / SERIES[size] for name, of in _named(lost, off)}
    return [
        Figure(
            f"levels {name} beyond those of a fixed warm-up",
            early_ones[name] - fixed[name],
            "points",
            1.0,
            note=f"{early_ones[name]:.1f} % against {fixed[name]:.1f} % of {SERIES[size]} levels",
        )
        for name in fixed
    ] + [
        Figure("mean of the early warm-ups", float(np.mean(ends_s)), "s", WARM_UP_S),
    ]


def _named(
    lost: dict[str, list[bool]], off: dict[str, list[bool]]
) -> tuple[tuple[str, dict[str, list[bool]]], ...]:
    return ("called not steady", lost), ("5 % off", off)


def _end_by_watch(series: Floats) -> int:
    """Return the cell with which the steady phase begins."""
    watch, ended = WarmUpWatch(), 0.0
    watch.add(0.0, 0)
    for cell, value in enumerate(series[: round(WARM_UP_S / CELL_S)].tolist(), 1):
        ended += value
        watch.add(cell * CELL_S, round(ended))
        if cell * CELL_S >= WARM_UP_MIN_S and watch.is_over():
            return cell
    return round(WARM_UP_S / CELL_S)


def _short_warm_up(shape: str, correlation: float, rng: np.random.Generator) -> Floats:
    """Return the throughput of the cells of a level, relative to that of its steady state."""
    at = np.arange(round(WARM_UP_S / CELL_S) + STEADY_CELLS)
    end = float(rng.uniform(0.3, 8.0)) / CELL_S
    series = 1.0 + NOISE * _noise(correlation, rng)[: len(at)]
    if shape == "step":
        series -= np.where(at < end, rng.uniform(0.2, 0.5), 0.0)
    elif shape == "decay":
        height = rng.uniform(0.3, 0.9)
        series -= height * np.exp(-at / (end / math.log(height / MIN_RATIO)))
    return np.maximum(series, 0.0)


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
