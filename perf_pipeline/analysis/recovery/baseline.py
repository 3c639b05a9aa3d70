"""How a target served before the first failure: what "as before" means for all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.types.fault.recovery import ServiceBaseline

if TYPE_CHECKING:
    from perf_pipeline.analysis.recovery.arrivals import Arrivals
    from perf_pipeline.metrics.survival.survival_curve import Floats

MIN_S = 5.0
MIN_DUE = 50
"""With less there is nothing to compare with."""

MAX_VARIATION = 0.1
"""Coefficient of variation of the share answered well, from block to block; above it, the target
came and went by itself."""

AS_BEFORE_RATIO = 1.2
MIN_MARGIN_S = 0.01
"""Times up to 1.2 times the 99th percentile are as before, and up to 10 ms above it: of a target
that takes a millisecond, less is the machine's scheduler."""

_BLOCKS = 10
_RESAMPLES = 200
_SEED = 15


def baseline_of(
    arrivals: Arrivals,
    window_ns: tuple[int, int],
    go_ns: int,
    objective: tuple[float, str] | None = None,
) -> ServiceBaseline | None:
    """Return how the target served in a window; None where nothing arrived in it.

    The interval of the 99th percentile is a bootstrap over blocks of consecutive workflows, since
    neighbours resemble each other (Künsch, Annals of Statistics 17, 1989).

    Args:
        arrivals: All workflows of the level.
        window_ns: From the begin of the steady phase to the first injection, CLOCK_MONOTONIC.
        go_ns: Start of the level.
        objective: Longest time that is answered well, s, and the objective that says so; None to
            take it from the baseline.
    """
    found = arrivals.between(*window_ns)
    if not len(found):
        return None
    length_s = (window_ns[1] - window_ns[0]) / 1e9
    took_s = found.took_s
    p99_s, low_s, high_s = nearest_rank(took_s, 0.99), *_interval(took_s)
    as_before_s = _as_before(p99_s)
    limit_s, limit_of = objective or (as_before_s, "baseline")
    known = found.where(found.is_known(limit_s))
    bad = known.is_bad(limit_s)
    return ServiceBaseline(
        start_s=(window_ns[0] - go_ns) / 1e9,
        end_s=(window_ns[1] - go_ns) / 1e9,
        due=len(found),
        rate_per_s=len(found) / length_s,
        p99_s=p99_s,
        error_share=float(found.is_failed.mean()),
        good_share=float(1 - bad.mean()) if len(bad) else 0.0,
        limit_s=limit_s,
        limit_of=limit_of,
        as_before_s=as_before_s,
        as_before_low_s=_as_before(low_s),
        as_before_high_s=_as_before(high_s),
        why_not=_why_not(length_s, (~bad).astype(np.float64)),
    )


def nearest_rank(values: Floats, p: float) -> float:
    """Return a percentile by the nearest rank; ``values`` is not empty."""
    rank = max(0, int(np.ceil(p * len(values))) - 1)
    return float(np.partition(values, rank)[rank])


def _as_before(p99_s: float) -> float:
    return max(AS_BEFORE_RATIO * p99_s, p99_s + MIN_MARGIN_S)


def _interval(took_s: Floats) -> tuple[float, float]:
    rng = np.random.default_rng(_SEED)
    length = max(1, len(took_s) // (2 * _BLOCKS))
    count = -(-len(took_s) // length)
    within = np.arange(length)
    found = []
    for _ in range(_RESAMPLES):
        starts = rng.integers(0, len(took_s) - length + 1, size=count)
        found.append(nearest_rank(took_s[(starts[:, None] + within).ravel()], 0.99))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _why_not(length_s: float, good: Floats) -> str:
    if length_s < MIN_S or len(good) < MIN_DUE:
        return (
            f"{len(good)} workflows within {length_s:.3g} s before the first failure are too few "
            f"to compare with (at least {MIN_DUE} and {MIN_S:g} s): let it begin later (`at`)"
        )
    shares = np.array([block.mean() for block in np.array_split(good, _BLOCKS)])
    mean = float(shares.mean())
    if mean <= 0 or float(shares.std()) > MAX_VARIATION * mean:
        return (
            f"service was not steady before the first failure: between {shares.min():.0%} and "
            f"{shares.max():.0%} of the workflows of a tenth of that time were answered well"
        )
    return ""
