"""Change points are found in series of known truth, and neither noise nor lone spikes are one.

Series without structure have 30 to 800 values: normal, heavy-tailed and lognormal noise, values
rounded to few levels, lone spikes, noise with an autocorrelation of 0.5, and a metric that jumps
between two values. Steps are planted in normal noise of 3 %, and their heights are in standard
deviations of it. A tier has noticed a step at the first value with which it reports it, the values
being given one by one. The time is processor time of one series of 800 values with eight steps.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.change_points.drift import find_drift
from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.selftest.figure import Figure, Size

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.analysis.change_points.change_point import ChangePoint, Tier
    from perf_pipeline.analysis.change_points.clean_series import Floats

LENGTHS = (30, 100, 200, 800)
REPEATS = {Size.CI: 12, Size.FULL: 100}
STEPS = {Size.CI: 200, Size.FULL: 1000}
NOTICED = {Size.CI: 200, Size.FULL: 1000}
TIMED = {Size.CI: 20, Size.FULL: 200}
NOISE = 0.03
MARGIN = 5
HISTORY, MAX_NOTICED = 60, 40
DRIFT_RATIO, DRIFT_NOISE, DRIFT_VALUES = 0.1, 0.01, 200
_log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Find the change points of simulated series."""
    figures = _false_alarms(REPEATS[size], seed)
    _log.info("series without structure are judged")
    figures += _steps(STEPS[size], seed)
    figures += _places(STEPS[size], seed)
    figures += _notice(NOTICED[size], seed)
    _log.info("steps are judged")
    return [*figures, *_drifts(STEPS[size] // 4, seed), *_times(size, seed)]


def structureless(rng: np.random.Generator, count: int) -> dict[str, Floats]:
    """Return one series of ``count`` values of each kind, none with a change point."""
    waves = rng.normal(size=count)
    for index in range(1, count):
        waves[index] = 0.5 * waves[index - 1] + np.sqrt(0.75) * waves[index]
    return {
        "normal": 100.0 + rng.normal(0.0, 3.0, count),
        "heavy-tailed": 100.0 + 3.0 * rng.standard_t(3, count),
        "lognormal": np.exp(rng.normal(0.0, 0.2, count)),
        "rounded": np.round(50.0 + rng.normal(0.0, 0.6, count)),
        "spikes": 100.0 + rng.normal(0.0, 2.0, count) + rng.binomial(1, 0.03, count) * 40.0,
        "autocorrelated": 100.0 + 3.0 * waves,
        "two values": 100.0 + rng.normal(0.0, 1.0, count) + rng.binomial(1, 0.3, count) * 8.0,
    }


def stepped(rng: np.random.Generator, before: int, after: int, height: float) -> Floats:
    """Return normal noise around 1 with a step; ``height`` is in its standard deviations."""
    values = 1.0 + rng.normal(0.0, NOISE, before + after)
    values[before:] += height * NOISE
    return values


def _false_alarms(repeats: int, seed: int) -> list[Figure]:
    values, alarms, warnings, series = 0, dict[str, int](), 0, 0
    for count in LENGTHS:
        for repeat in range(repeats):
            rng = np.random.default_rng([seed, count, repeat])
            for kind, one in structureless(rng, count).items():
                found = find_change_points(one)
                confirmed = sum(point.tier == "confirmed" for point in found)
                alarms[kind] = alarms.get(kind, 0) + confirmed
                warnings += len(found) - confirmed
                values, series = values + count, series + 1
    correlated = alarms.pop("autocorrelated")
    each = values / (len(alarms) + 1)
    where = ", ".join(f"{kind} {number}" for kind, number in alarms.items() if number) or "none"
    return [
        Figure(
            "confirmed change points in series of independent values without one",
            1000.0 * sum(alarms.values()) / (each * len(alarms)),
            "per 1000 values",
            0.05,
            note=f"{where} in {each * len(alarms):.0f} values",
        ),
        Figure(
            "confirmed change points in noise with an autocorrelation of 0.5",
            1000.0 * correlated / each,
            "per 1000 values",
            1.0,
            note=f"{correlated} in {each:.0f} values",
        ),
        Figure(
            "series without a change point that end with a warning of the fast tier",
            100.0 * warnings / series,
            "%",
            1.0,
            note=f"of {series} series",
        ),
    ]


def _steps(repeats: int, seed: int) -> list[Figure]:
    figures: list[Figure] = []
    within: list[bool] = []
    for height, limit in ((1.5, 80.0), (2.0, 96.0), (3.0, 99.0)):
        hits = 0
        for repeat in range(repeats):
            rng = np.random.default_rng([seed, repeat])
            found = find_change_points(stepped(rng, 100, 100, height))
            near = [one for one in found if abs(one.index - 100) <= MARGIN]
            hits += bool(near)
            if len(found) == len(near) == 1:
                within.append(_holds(near[0], 1.0 + height * NOISE))
        figures.append(
            Figure(
                f"steps of {height:g} standard deviations found among 200 values",
                100.0 * hits / repeats,
                "%",
                limit,
                at_most=False,
                note=f"of {repeats}, {MARGIN} values off at most",
            )
        )
    return [*figures, _share("intervals of 95 % that contain the planted ratio", within, 90.0)]


def _holds(point: ChangePoint, truth: float) -> bool:
    return point.low is not None and point.high is not None and point.low <= truth <= point.high


def _places(repeats: int, seed: int) -> list[Figure]:
    """Measure how far the named value is from the first of the new level."""
    off = []
    for repeat in range(repeats):
        values = stepped(np.random.default_rng([seed, 1, repeat]), 100, 100, 4.0)
        found = find_change_points(values)
        off.append(min((abs(one.index - 100) for one in found), default=100))
    what = "steps of 4 standard deviations named"
    return [
        _share(f"{what} at their first value", [one == 0 for one in off], 90.0),
        _share(f"{what} within one value of it", [one <= 1 for one in off], 97.0),
    ]


def _notice(repeats: int, seed: int) -> list[Figure]:
    """Give a step of four standard deviations value by value."""
    figures = []
    tiers: tuple[tuple[str, Callable[[Tier], bool], float, float], ...] = (
        ("fast", lambda _tier: True, 3.0, 5.0),
        ("confirmed", lambda tier: tier == "confirmed", 8.0, 12.0),
    )
    for name, counts, middle, high in tiers:
        needed = []
        for repeat in range(repeats):
            rng = np.random.default_rng([seed, repeat])
            values = stepped(rng, HISTORY, MAX_NOTICED, 4.0)
            needed.append(_noticed_after(values, counts))
        note = f"a step of 4 standard deviations after {HISTORY} values, {repeats} times"
        for percent, limit in ((50, middle), (90, high)):
            value = float(np.percentile(needed, percent))
            what = f"values until the {name} tier reports a step, P{percent}"
            figures.append(Figure(what, value, "", limit, note=note))
    return figures


def _noticed_after(values: Floats, counts: Callable[[Tier], bool]) -> int:
    for more in range(1, MAX_NOTICED):
        found = find_change_points(values[: HISTORY + more])
        if any(counts(one.tier) and abs(one.index - HISTORY) <= MARGIN for one in found):
            return more
    return MAX_NOTICED


def _drifts(repeats: int, seed: int) -> list[Figure]:
    at = np.arange(DRIFT_VALUES) / DRIFT_VALUES
    called: list[bool] = []
    seen: list[bool] = []
    wrong: list[bool] = []
    for repeat in range(repeats):
        rng = np.random.default_rng([seed, 2, repeat])
        noise = rng.normal(0.0, DRIFT_NOISE, DRIFT_VALUES)
        drifting, level = 1.0 + DRIFT_RATIO * at + noise, 1.0 + noise
        found = find_change_points(drifting)
        called.append(bool(found))
        seen.append(find_drift(drifting, found) is not None)
        wrong.append(find_drift(level, find_change_points(level)) is not None)
    return [
        _share("drifts of 10 % over 200 values called a step", called, 30.0, at_most=True),
        _share("drifts of 10 % over 200 values called a drift", seen, 70.0),
        _share("levels called a drift", wrong, 1.0, at_most=True),
    ]


def _times(size: Size, seed: int) -> list[Figure]:
    """Time the search; the limits are those of a machine of one's own, so of size full."""
    spent_ms = []
    for repeat in range(TIMED[size]):
        rng = np.random.default_rng([seed, 3, repeat])
        levels = np.repeat(1.0 + 0.1 * rng.normal(size=8), 100)
        values = levels + rng.normal(0.0, NOISE, 800)
        started_s = time.process_time()
        find_change_points(values)
        spent_ms.append(1e3 * (time.process_time() - started_s))
    limits_ms = (10.0, 250.0) if size is Size.FULL else (None, None)
    return [
        Figure(f"processor time for 800 values, {what}", value, "ms", limit_ms)
        for what, value, limit_ms in zip(
            ("median", "maximum"),
            (float(np.median(spent_ms)), max(spent_ms)),
            limits_ms,
            strict=True,
        )
    ]


def _share(what: str, successes: list[bool], limit: float, *, at_most: bool = False) -> Figure:
    percent = 100.0 * sum(successes) / len(successes)
    return Figure(what, percent, "%", limit, at_most, f"of {len(successes)} series")
