"""Queueing laws applied to one load level (Little) or to several (scalability)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.survival.outcomes import ended_within

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_USL_POINTS = 4
"""Loads that a fit takes; three parameters fit any three points."""

LITTLE_SHARE = 0.05


@dataclass(frozen=True)
class Little:
    """Little's law at one level: N = X R, each side measured separately.

    Attributes:
        in_flight: N, time-weighted mean number in the system over the window.
        ended_per_s: X, workflows that ended in it per second, ok or not.
        time_s: R, mean time in the system of those that ended in it.
    """

    in_flight: float
    ended_per_s: float
    time_s: float

    @property
    def ratio(self) -> float:
        """X R / N; 1 in a steady state."""
        return self.ended_per_s * self.time_s / self.in_flight

    @property
    def holds(self) -> bool:
        """True when it is within 5 % of 1."""
        return abs(self.ratio - 1.0) <= LITTLE_SHARE


def little_of(
    frame: pl.DataFrame, start_ns: int, end_ns: int, since: str = "start_ns"
) -> Little | None:
    """Measure the three sides of Little's law over a window.

    X R differs from N where more workflows enter than leave, or where those that leave take other
    times than those that stay: the window is then not a steady state, whatever its percentiles.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        start_ns: Start of the window, CLOCK_MONOTONIC.
        end_ns: End of the window, exclusive.
        since: Column of the time at which a workflow enters the system: ``start_ns``, or
            ``intended_start_ns`` where the wait for a slot counts.

    Returns:
        None where nothing ended in the window.

    Source:
        Little, "A Proof for the Queuing Formula: L = lambda W", Operations Research 9, 1961.
    """
    ended = ended_within(frame, start_ns, end_ns)
    if end_ns <= start_ns or not ended.height:
        return None
    entered = pl.max_horizontal(pl.col(since), pl.lit(start_ns, pl.Int64))
    left = pl.min_horizontal(pl.col("end_ns"), pl.lit(end_ns, pl.Int64))
    there = frame.filter((pl.col(since) < end_ns) & (pl.col("end_ns") > start_ns))
    inside_ns = int(there.select((left - entered).sum()).item())
    length_ns = end_ns - start_ns
    took_ns = int(ended.select((pl.col("end_ns") - pl.col(since)).sum()).item())
    if not inside_ns:
        return None
    return Little(
        in_flight=inside_ns / length_ns,
        ended_per_s=1e9 * ended.height / length_ns,
        time_s=took_ns / ended.height / 1e9,
    )


@dataclass(frozen=True)
class Usl:
    """The universal scalability law: X(N) = rate N / (1 + queueing (N - 1) + crosstalk N (N - 1)).

    Attributes:
        rate_per_s: Throughput of one workflow in flight.
        queueing: Contention: share of the work that waits for a shared resource; >= 0.
        crosstalk: Coherency: cost of each pair of workflows that wait for each other; >= 0. Above
            0 the throughput falls beyond a peak.
        worst_ratio: Largest distance of a measured throughput from the curve, as a share of it.
    """

    rate_per_s: float
    queueing: float
    crosstalk: float
    worst_ratio: float

    def throughput_per_s(self, in_flight: float) -> float:
        """Return the throughput that it predicts."""
        more = in_flight - 1
        slowed = 1 + self.queueing * more + self.crosstalk * in_flight * more
        return self.rate_per_s * in_flight / slowed

    @property
    def peak_in_flight(self) -> float | None:
        """Number in flight of the highest throughput; None where it always grows."""
        if self.crosstalk <= 0 or self.queueing >= 1:
            return None
        return float(np.sqrt((1 - self.queueing) / self.crosstalk))


def fit_usl(in_flight: Sequence[float], per_s: Sequence[float]) -> Usl | None:
    """Fit the universal scalability law to measured points, by least squares of relative errors.

    N / X is a polynomial of N with three coefficients, none of which is below 0.

    Args:
        in_flight: Workflows in flight, each > 0.
        per_s: Throughput at each.

    Returns:
        None with fewer than 4 different loads.

    Source:
        Gunther, "Guerrilla Capacity Planning", Springer 2007, chapter 5.
    """
    from scipy.optimize import nnls  # noqa: PLC0415 takes 0.3 s; only a capacity search needs it

    known = [(n, x) for n, x in zip(in_flight, per_s, strict=True) if n > 0 and x > 0]
    if len({n for n, _ in known}) < MIN_USL_POINTS:
        return None
    n, x = (np.array(column, dtype=np.float64) for column in zip(*known, strict=True))
    y = n / x
    columns = np.stack([np.ones_like(n), n - 1, n * (n - 1)], axis=1) / y[:, None]
    coefficients, _ = nnls(columns, np.ones_like(n))
    first, line, square = coefficients.tolist()
    if first <= 0:
        return None
    fitted = Usl(1 / first, line / first, square / first, 0.0)
    worst = max(abs(b / fitted.throughput_per_s(a) - 1) for a, b in known)
    return Usl(fitted.rate_per_s, fitted.queueing, fitted.crosstalk, float(worst))
