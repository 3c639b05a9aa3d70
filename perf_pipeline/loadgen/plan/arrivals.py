"""Arrival schedules: when each workflow of an open level should start, decided before the run.

Independent users arrive regardless of what the system under test is doing. Fixing the
times before the run is what lets a response time include the wait behind a slow workflow
(Schroeder, Wierman, Harchol-Balter, "Open Versus Closed: A Cautionary Tale", NSDI 2006).

The same seed gives the same nanoseconds on every machine: only additions, multiplications,
divisions and square roots of doubles, which IEEE 754 rounds in one way, and the Mersenne Twister.
There is no logarithm, whose last digit is the platform's own choice (``exponential``).
"""

from __future__ import annotations

from array import array
from math import sqrt
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.arrivals import read_trace

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator

    from perf_pipeline.config.scenario.arrivals import Arrivals

SECOND_NS = 1_000_000_000


def intended_starts(arrivals: Arrivals, rng: random.Random) -> array[int]:
    """Make the schedule of an open level.

    Args:
        arrivals: Which schedule.
        rng: Source of randomness, used by ``poisson`` alone.

    Returns:
        int64[n], ns after the go, non-decreasing, every value in ``[0, duration_s * 1e9)``.

    Raises:
        OSError, ValueError: A trace cannot be read, or is none.
    """
    if arrivals.schedule == "trace":
        return read_trace(arrivals.trace, arrivals.duration_s)
    end_ns = int(arrivals.duration_s * SECOND_NS)
    match arrivals.schedule:
        case "constant":
            times = constant(arrivals.rate_per_s, 0, end_ns)
        case "poisson":
            times = poisson(arrivals.rate_per_s, end_ns, rng)
        case "ramp":
            times = ramp(arrivals.rate_per_s, arrivals.end_rate_per_s, end_ns)
        case "steps":
            times = steps(arrivals.rate_per_s, arrivals.end_rate_per_s, arrivals.steps, end_ns)
        case "burst":
            times = bursts(arrivals.burst_size, arrivals.burst_every_s, end_ns)
            if arrivals.rate_per_s:
                times = iter(sorted([*times, *constant(arrivals.rate_per_s, 0, end_ns)]))
    return array("q", times)


def constant(rate_per_s: float, start_ns: int, end_ns: int) -> Iterator[int]:
    """Yield evenly spaced times in ``[start_ns, end_ns)``, the first at ``start_ns``."""
    number, at_ns = 0, start_ns
    while at_ns < end_ns:
        yield at_ns
        number += 1
        at_ns = start_ns + int(number * SECOND_NS / rate_per_s)  # of the number: nothing adds up


def poisson(rate_per_s: float, end_ns: int, rng: random.Random) -> Iterator[int]:
    """Yield the arrivals of independent users: exponential gaps with mean ``1 / rate_per_s``."""
    at_ns = int(exponential(rng) * SECOND_NS / rate_per_s)
    while at_ns < end_ns:
        yield at_ns
        at_ns += int(exponential(rng) * SECOND_NS / rate_per_s)


def exponential(rng: random.Random) -> float:
    """Draw from the exponential distribution of mean 1, by comparisons alone.

    Draw uniform numbers until one is not below the one before it. If the falling run has an odd
    length, its first number is the fraction of the result, and how many runs were even before is
    its whole part: P(the run is odd | its first number is x) = exp(-x).

    Source:
        von Neumann, "Various techniques used in connection with random digits", National Bureau
        of Standards Applied Mathematics Series 12, 1951.
    """
    uniform, whole = rng.random, 0
    while True:
        first = last = uniform()
        odd = True
        while (drawn := uniform()) < last:
            last, odd = drawn, not odd
        if odd:
            return whole + first
        whole += 1


def ramp(rate_per_s: float, end_rate_per_s: float, end_ns: int) -> Iterator[int]:
    """Yield times at a rate that goes linearly from one to the other.

    Arrival ``n`` is when the area under the rate, ``r t + (e - r) t^2 / 2 T``, is ``n``.
    """
    slope = (end_rate_per_s - rate_per_s) / (end_ns / SECOND_NS)
    if slope == 0.0:
        yield from constant(rate_per_s, 0, end_ns)
        return
    number = 0
    while (square := rate_per_s * rate_per_s + 2.0 * slope * number) >= 0.0:
        # The root that does not subtract two numbers nearly equal.
        at_ns = int(2.0 * number / (rate_per_s + sqrt(square)) * SECOND_NS) if number else 0
        if at_ns >= end_ns:
            return
        yield at_ns
        number += 1


def steps(rate_per_s: float, end_rate_per_s: float, count: int, end_ns: int) -> Iterator[int]:
    """Yield times in ``count`` equal parts, each of constant rate, from the first to the last."""
    for step in range(count):
        share = step / (count - 1) if count > 1 else 0.0
        rate = rate_per_s + (end_rate_per_s - rate_per_s) * share
        yield from constant(rate, end_ns * step // count, end_ns * (step + 1) // count)


def bursts(size: int, every_s: float, end_ns: int) -> Iterator[int]:
    """Yield ``size`` times at one moment, again and again; the first are at 0."""
    for at_ns in constant(1.0 / every_s, 0, end_ns):
        yield from (at_ns for _ in range(size))
