"""Queues with several servers in virtual time, whose capacity is known by calculation."""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.survival_curve import Ints


def open_queue(
    servers: int, service_s: float, rate_per_s: float, count: int, rng: np.random.Generator
) -> tuple[Ints, Ints, Ints]:
    """Draw workflows of an M/M/c queue: Poisson arrivals, exponential service, first come first.

    Args:
        servers: Workflows that are served at once.
        service_s: Mean service time.
        rate_per_s: Arrivals a second.
        count: Workflows.
        rng: Source of randomness.

    Returns:
        Intended starts, starts, ends; int64[count] each, ns, intended starts non-decreasing.
    """
    arrive_s = np.cumsum(rng.exponential(1 / rate_per_s, count))
    takes_s = rng.exponential(service_s, count)
    free_s = [0.0] * servers
    starts = np.empty(count)
    for at, (arrived_s, took_s) in enumerate(zip(arrive_s.tolist(), takes_s.tolist(), strict=True)):
        start_s = max(arrived_s, free_s[0])
        heapq.heapreplace(free_s, start_s + took_s)
        starts[at] = start_s
    return _ns(arrive_s), _ns(starts), _ns(starts + takes_s)


def closed_network(
    servers: int,
    service_s: float,
    delay_s: float,
    in_flight: int,
    count: int,
    rng: np.random.Generator,
) -> tuple[Ints, Ints]:
    """Draw workflows of a closed network: an individual delay, then shared servers.

    Args:
        servers: Workflows that are served at once.
        service_s: Mean service time, exponential.
        delay_s: Mean delay before it, exponential; any number may be delayed at once.
        in_flight: Workflows, each followed by the next at once.
        count: Workflows in all, about.
        rng: Source of randomness.

    Returns:
        Starts and ends, int64 each, ns, in the order in which workflows reach the servers.
    """
    delays_s = rng.exponential(delay_s, count + in_flight)
    takes_s = rng.exponential(service_s, count).tolist()
    coming = [(delay, 0.0) for delay in delays_s[:in_flight].tolist()]
    heapq.heapify(coming)
    free_s = [0.0] * servers
    starts, ends = np.empty(count), np.empty(count)
    for at, (took_s, delay) in enumerate(zip(takes_s, delays_s[in_flight:].tolist(), strict=True)):
        reached_s, started_s = coming[0]
        end_s = max(reached_s, free_s[0]) + took_s
        heapq.heapreplace(free_s, end_s)
        heapq.heapreplace(coming, (end_s + delay, end_s))
        starts[at], ends[at] = started_s, end_s
    return _ns(starts), _ns(ends)


def response_beyond(servers: int, service_s: float, rate_per_s: float, limit_s: float) -> float:
    """Return the share of an M/M/c queue's response times above a limit.

    The wait is 0 or, with Erlang's C, exponential with rate c/s - rate; the service adds another
    exponential (Gross, Harris, "Fundamentals of Queueing Theory", section 2.3).
    """
    load = rate_per_s * service_s
    if load >= servers:
        return 1.0
    term, below = 1.0, 1.0
    for k in range(1, servers):
        term *= load / k
        below += term
    full = term * load / servers / (1 - load / servers)
    waits = full / (below + full)
    mu, theta = 1 / service_s, servers / service_s - rate_per_s
    served = math.exp(-mu * limit_s)
    if math.isclose(mu, theta, rel_tol=1e-9):
        both = served * (1 + mu * limit_s)
    else:
        both = (theta * served - mu * math.exp(-theta * limit_s)) / (theta - mu)
    return (1 - waits) * served + waits * both


def true_rate_per_s(servers: int, service_s: float, p: float, limit_s: float) -> float:
    """Return the arrival rate at which a percentile of the response time is the limit."""
    low, high = 0.0, servers / service_s
    for _ in range(100):
        rate = (low + high) / 2
        if response_beyond(servers, service_s, rate, limit_s) > 1 - p:
            high = rate
        else:
            low = rate
    return low


def true_times(servers: int, service_s: float, delay_s: float, max_in_flight: int) -> list[float]:
    """Return the mean time of the closed network's workflows with 1 to ``max_in_flight``.

    From the probability of each number at the servers, which has product form (Gordon, Newell,
    Operations Research 15, 1967): delay^(n-k) / (n-k)! times service^k / (1 2 ... min(k, c) ...).
    """
    rate, delay = math.log(service_s), math.log(delay_s)
    times = []
    for total in range(1, max_in_flight + 1):
        weights = []
        queued = 0.0
        for k in range(total + 1):
            queued += 0.0 if k == 0 else rate - math.log(min(k, servers))
            weights.append(queued + (total - k) * delay - math.lgamma(total - k + 1))
        probabilities = np.exp(np.array(weights) - max(weights))
        probabilities /= probabilities.sum()
        busy = float((probabilities * np.minimum(np.arange(total + 1), servers)).sum())
        times.append(total / (busy / service_s))
    return times


def true_in_flight(servers: int, service_s: float, delay_s: float, limit_s: float) -> int:
    """Return the maximum number of workflows in flight whose mean time is within the limit."""
    bound = int(2 * limit_s * servers / service_s) + 1
    times = enumerate(true_times(servers, service_s, delay_s, bound), 1)
    return max((n for n, time_s in times if time_s <= limit_s), default=0)


def _ns(at_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Ints:
    return np.rint(at_s * 1e9).astype(np.int64)
