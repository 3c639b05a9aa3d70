"""Everything from ten million records in 1.5 s and 1 GB on two cores."""

from __future__ import annotations

import os

import pytest

from tests.benchmarks.large_data import measure

MAX_S, MAX_MB = 1.5, 1_000
CORES = 2


@pytest.mark.alone
@pytest.mark.integration
@pytest.mark.slow
def test_ten_million_records_take_a_second_and_a_half_and_a_gigabyte() -> None:
    """Best of three: what other processes do in between can only make it slower.

    Processor time is what two cores have in that time, and is claimed on a busy machine too.
    """
    costs = [measure() for _ in range(3)]

    assert {cost.records for cost in costs} == {10_000_000}
    assert max(cost.peak_mb for cost in costs) <= MAX_MB
    assert min(cost.cpu_s for cost in costs) <= CORES * MAX_S
    if os.getloadavg()[0] > len(os.sched_getaffinity(0)):
        pytest.skip(f"other work keeps the cores busy: {min(c.wall_s for c in costs):.1f} s")
    assert min(cost.wall_s for cost in costs) <= MAX_S
