"""Every late start is explained: charged to the target unless the generator is late by itself.

A thread that holds the interpreter lock delays every start in its process. In the target it is
the target's delay: the same arrivals on workflows that do nothing are not late. In the worker
process itself, whatever the target, it is ours: then they are late as well, and the level is
``generator_limited``.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.loadgen.environment.user_code import at_start
from perf_pipeline.samples.record import COLD
from perf_pipeline.selftest import known
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.played_level import play
from perf_pipeline.targets import no_op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.open_load import Lag
    from perf_pipeline.selftest.loads.played_level import PlayedLevel

RATE_PER_S = 100.0
SLOTS = 16
HOG = f"{known.__name__}.hogging"
GENERATOR_HOG = Path(__file__).parent / "known" / "generator_hog"
TARGETS = {"callable": ("work", "work"), "callable_async": ("work_async", "work_async")}

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Put the hog into the target, then into the generator."""
    full = size is Size.FULL
    length_s, control_s = (15.0, 5.0) if full else (0.6, 0.5)
    arrivals = Arrivals("decompose", "constant", RATE_PER_S, length_s, SLOTS)
    figures: list[Figure] = []
    for target in ("callable", "callable_async") if full else ("callable",):
        hogging, idle = TARGETS[target]
        log.info("decompose: %s, a hog in the target", target)
        theirs = play(arrivals, f"{HOG}:{hogging}", seed=seed, target=target, control_s=control_s)
        figures += _in_the_target(f"{target}, hog in the target", theirs)
        log.info("decompose: %s, a hog in the generator", target)
        ours = play(
            arrivals,
            f"{no_op.__name__}:{idle}",
            seed=seed,
            target=target,
            control_s=control_s,
            user_code=at_start(GENERATOR_HOG),
        )
        figures += _in_the_generator(f"{target}, hog in the generator", ours)
    return figures


def _in_the_target(what: str, played: PlayedLevel) -> Iterator[Figure]:
    yield from _identity(what, played)
    lag, control = played.load.lag, played.load.control_lag
    ratio = None
    if lag.p50_s and control is not None and control.p50_s is not None:
        ratio = control.p50_s / lag.p50_s
    note = played.load.control_why_not or f"{_ms(control)}, {_ms(lag)}"
    yield Figure(f"{what}: median lag of the control / of the target", ratio, "", 0.5, note=note)
    yield Figure(
        f"{what}: share of the response times that is lag",
        _lag_share(played.frame),
        "",
        0.9,
        at_most=False,
    )
    charged = played.metrics.validity == "generator_limited"
    yield Figure(f"{what}: called generator_limited", int(charged), "", 0)


def _in_the_generator(what: str, played: PlayedLevel) -> Iterator[Figure]:
    yield from _identity(what, played)
    found = played.metrics.validity == "generator_limited"
    note = "; ".join(played.metrics.reasons)
    yield Figure(f"{what}: called generator_limited", int(found), "", 1, at_most=False, note=note)


def _identity(what: str, played: PlayedLevel) -> Iterator[Figure]:
    load = played.load
    unchecked = load.scheduled - load.checked + load.unexplained
    note = f"{load.checked} of {load.scheduled} records checked"
    yield Figure(f"{what}: records not lag + service time", unchecked, "records", 0, note=note)


def _lag_share(frame: pl.DataFrame) -> float | None:
    warm = frame.filter((pl.col("flags") & COLD) == 0)
    lag_ns = (warm["start_ns"] - warm["intended_start_ns"]).to_numpy()
    took_ns = (warm["end_ns"] - warm["intended_start_ns"]).to_numpy()
    return float(lag_ns.sum() / took_ns.sum()) if took_ns.sum() else None


def _ms(lag: Lag | None) -> str:
    return "not measured" if lag is None or lag.p50_s is None else f"{lag.p50_s * 1e3:.3g} ms"
