"""A queue with one server in virtual time (M/M/1), whose distributions are known exactly."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.samples.level_records import SCHEMA

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.survival_curve import Ints

SERVICE_S = 0.01
"""Mean service time."""


def single_server(load: float, count: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Draw workflows that arrive as a Poisson process and are served one after the other.

    The queue is in steady state from the first arrival on, whose response time is drawn from the
    stationary distribution. Waits follow Lindley, "The Theory of Queues with a Single
    Server", Proc. Cambridge Phil. Soc. 48, 1952.

    Args:
        load: Arrival rate times mean service time, 0 < load < 1.
        count: Workflows.
        rng: Source of randomness.

    Returns:
        Intended starts, starts, ends; int64[count] each, ns, intended starts increasing from 0.
    """
    gaps_s = rng.exponential(SERVICE_S / load, count - 1)
    service_s = rng.exponential(SERVICE_S, count)
    service_s[0] = rng.exponential(SERVICE_S / (1.0 - load))
    walk = np.concatenate([[0.0], np.cumsum(service_s[:-1] - gaps_s)])
    wait_s = walk - np.minimum.accumulate(walk)
    intended_s = np.concatenate([[0.0], np.cumsum(gaps_s)])
    start_s = intended_s + wait_s
    intended, start, end = (
        np.rint(at_s * 1e9).astype(np.int64) for at_s in (intended_s, start_s, start_s + service_s)
    )
    return intended, start, end


def true_response_s(load: float, p: float) -> float:
    """Return the percentile of the response time: it is exponential (Kleinrock, vol. 1, 3.2)."""
    return -math.log1p(-p) * SERVICE_S / (1.0 - load)


def records_of(intended_ns: Ints, start_ns: Ints, end_ns: Ints) -> pl.DataFrame:
    """Return workflows that all ended ok, as records of ``SCHEMA``."""
    count = len(intended_ns)
    given = {
        "number": np.arange(count),
        "intended_start_ns": intended_ns,
        "start_ns": start_ns,
        "end_ns": end_ns,
    }
    zero = np.zeros(count, dtype=np.int64)
    return pl.DataFrame({name: given.get(name, zero) for name in SCHEMA}).cast(SCHEMA)
