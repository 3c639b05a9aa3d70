"""Arrival schedules: the times that were asked for, the same on every machine."""

from __future__ import annotations

import hashlib
import math
import random
from bisect import bisect_left
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.loadgen.plan.arrivals import exponential, intended_starts
from perf_pipeline.loadgen.plan.level_plan import little_endian
from perf_pipeline.loadgen.supervise.control_run import busiest_part

if TYPE_CHECKING:
    from array import array
    from pathlib import Path

SECOND = 1_000_000_000


def starts(schedule: str, seed: int = 1, **more: object) -> array[int]:
    arrivals = Arrivals("a", schedule, **more)  # type: ignore[arg-type]
    return intended_starts(arrivals, random.Random(seed))


def test_the_same_seed_gives_the_same_nanoseconds_on_every_machine_and_version() -> None:
    """The literal hash was computed once, of 10,000 arrivals or so, with Python 3.11.7.

    A changed one means that old runs cannot be repeated.
    """
    times = starts("poisson", rate_per_s=1000.0, duration_s=10.0)
    assert times == starts("poisson", rate_per_s=1000.0, duration_s=10.0)
    digest = hashlib.sha256(little_endian(times)).hexdigest()
    assert digest == "99f95e9658197b992ad19bc6f709593b8ed72784ab53f4b8e860ec7432c4a2ee"
    assert times != starts("poisson", seed=2, rate_per_s=1000.0, duration_s=10.0)


def test_exponential_numbers_have_the_textbook_distribution() -> None:
    """100,000 of them: mean and quantiles of exp(-x), each within five standard errors."""
    rng, count = random.Random(7), 100_000
    drawn = sorted(exponential(rng) for _ in range(count))
    assert abs(sum(drawn) / count - 1) < 5 / math.sqrt(count)
    for x in (0.1, 0.5, 1.0, 2.0, 5.0):
        share = bisect_left(drawn, x) / count
        truth = 1 - math.exp(-x)
        assert abs(share - truth) < 5 * math.sqrt(truth * (1 - truth) / count)


def test_poisson_counts_vary_as_much_as_their_mean() -> None:
    """500 seconds at 200/s: mean and variance of the counts a second are 200, within a fifth."""
    times = starts("poisson", rate_per_s=200.0, duration_s=500.0)
    counts = [0] * 500
    for at_ns in times:
        counts[at_ns // SECOND] += 1
    mean = sum(counts) / len(counts)
    variance = sum((count - mean) ** 2 for count in counts) / len(counts)
    assert abs(mean - 200) < 4
    assert 160 < variance < 240


def test_constant_arrivals_do_not_drift() -> None:
    """333.3/s for 10 minutes: the 199,000th is where it should be, to the nanosecond."""
    times = starts("constant", rate_per_s=333.3, duration_s=600.0)
    assert len(times) == math.ceil(333.3 * 600)
    assert times[199_000] == int(199_000 * SECOND / 333.3)


def test_a_ramp_has_the_area_under_its_rate() -> None:
    """From 10 to 110/s in 20 s: n(t) = 10 t + 2.5 t^2, and the same backwards."""
    times = starts("ramp", rate_per_s=10.0, end_rate_per_s=110.0, duration_s=20.0)
    assert len(times) == 10 * 20 + 2.5 * 20**2
    for t_s in (1, 5, 13):
        assert bisect_left(times, t_s * SECOND) == math.ceil(10 * t_s + 2.5 * t_s**2)
    falling = starts("ramp", rate_per_s=110.0, end_rate_per_s=10.0, duration_s=20.0)
    assert abs(len(falling) - len(times)) <= 1
    gaps = [after - before for before, after in pairwise(falling)]
    assert gaps == sorted(gaps)


def test_a_ramp_that_does_not_rise_is_constant() -> None:
    flat = starts("ramp", rate_per_s=50.0, end_rate_per_s=50.0, duration_s=3.0)
    assert flat == starts("constant", rate_per_s=50.0, duration_s=3.0)


def test_steps_have_equal_lengths_and_evenly_growing_rates() -> None:
    times = starts("steps", rate_per_s=10.0, end_rate_per_s=30.0, steps=3, duration_s=9.0)
    edges = [bisect_left(times, at * SECOND) for at in (0, 3, 6, 9)]
    assert [b - a for a, b in pairwise(edges)] == [30, 60, 90]


def test_bursts_come_at_one_moment_on_top_of_the_rate_between() -> None:
    times = starts("burst", burst_size=40, burst_every_s=2.0, rate_per_s=10.0, duration_s=5.0)
    assert len(times) == 3 * 40 + 50
    assert [times.count(at * SECOND) for at in (0, 1, 2, 4)] == [41, 1, 41, 41]
    assert list(times) == sorted(times)


def test_a_trace_arrives_as_it_was_recorded(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("# seconds\n0\n0.000000001\n\n0.5 # twice\n0.5\n7\n")
    assert list(starts("trace", trace=str(path))) == [0, 1, SECOND // 2, SECOND // 2, 7 * SECOND]
    assert len(starts("trace", trace=str(path), duration_s=7.0)) == 4


@pytest.mark.parametrize("seed", range(3))
def test_the_control_plays_the_busiest_part_of_the_schedule(seed: int) -> None:
    """Against every window that begins with an arrival, counted out."""
    times = starts("poisson", seed=seed, rate_per_s=40.0, duration_s=20.0)
    part = busiest_part(times, 3 * SECOND)
    assert len(part) == max(sum(a <= b < a + 3 * SECOND for b in times) for a in times)
    assert part[0] == 0
    assert part[-1] < 3 * SECOND
