"""A level second by second, for the plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from perf_pipeline.metrics.service_time import ended_within
from perf_pipeline.samples.record import Outcome

if TYPE_CHECKING:
    from perf_pipeline.metrics.in_flight import InFlightCurve


_RECORDS_AT_A_TIME = 2_000_000


@dataclass(frozen=True)
class Second:
    """One second of a level.

    Attributes:
        t_s: Start of the second.
        ended_ok: Workflows that ended well in it.
        ended_not_ok: Workflows that ended in an error or a timeout.
        p50_s: Median service time of those that ended in it; None if none did.
        p99_s: Likewise, 99th percentile (nearest rank).
        in_flight: Time-weighted mean number in flight.
    """

    t_s: float
    ended_ok: int
    ended_not_ok: int
    p50_s: float | None
    p99_s: float | None
    in_flight: float


def seconds_of(
    frame: pl.DataFrame | pl.LazyFrame, curve: InFlightCurve, go_ns: int, end_ns: int
) -> tuple[Second, ...]:
    """Cut a level into whole seconds since the go; a last, partial one is left out.

    Args:
        frame: Records of ``SCHEMA`` without cold starts.
        curve: Their number in flight.
        go_ns: Start of second 0, CLOCK_MONOTONIC.
        end_ns: End of the level.
    """
    count = max(0, (end_ns - go_ns) // 1_000_000_000)
    if not count:
        return ()
    edges_ns = go_ns + np.arange(count + 1) * 1_000_000_000
    means = curve.means(edges_ns)
    rows: dict[int, dict[str, Any]] = {}
    step = max(1, count * _RECORDS_AT_A_TIME // max(len(curve.ends_ns), 1))
    for first in range(0, count, step):
        rows |= _rows(frame, go_ns, first, min(first + step, count))
    nothing = {"ok": 0, "not_ok": 0, "p50": None, "p99": None}
    return tuple(
        Second(
            t_s=float(second),
            ended_ok=row["ok"],
            ended_not_ok=row["not_ok"],
            p50_s=row["p50"],
            p99_s=row["p99"],
            in_flight=float(means[second]),
        )
        for second in range(count)
        for row in (rows.get(second, nothing),)
    )


def _rows(
    frame: pl.DataFrame | pl.LazyFrame, go_ns: int, first: int, last: int
) -> dict[int, dict[str, Any]]:
    """Return what ended in each second of ``[first, last)`` in which anything did."""
    is_ok = pl.col("outcome") == int(Outcome.OK)
    lasted_ns = pl.col("lasted_ns")
    start_ns, end_ns = (go_ns + second * 1_000_000_000 for second in (first, last))
    return (
        ended_within(frame.lazy(), start_ns, end_ns)
        .select(
            ((pl.col("end_ns") - go_ns) // 1_000_000_000).alias("second"),
            (pl.col("end_ns") - pl.col("start_ns")).alias("lasted_ns"),
            "outcome",
        )
        .group_by("second")
        .agg(
            ok=is_ok.sum(),
            not_ok=(~is_ok).sum(),
            p50=lasted_ns.quantile(0.5, "equiprobable") / 1e9,  # polars' name of the nearest rank
            p99=lasted_ns.quantile(0.99, "equiprobable") / 1e9,
        )
        .collect()
        .rows_by_key("second", named=True, unique=True)
    )
