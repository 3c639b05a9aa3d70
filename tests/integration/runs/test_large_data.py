"""Everything from ten million records in 2 s and 1 GB on two cores."""

from __future__ import annotations

import os

import pytest

from tests.benchmarks.large_data import measure

MAX_S, MAX_MB = 2.0, 1_000
"""At most 1.7 s was measured; the clock of the machine varies."""
CPU_S = 3.0


@pytest.mark.alone
@pytest.mark.integration
@pytest.mark.slow
def test_ten_million_records_take_two_seconds_and_a_gigabyte() -> None:
    """Best of three: what other processes do in between can only make it slower.

    Processor time is claimed on a busy machine too.
    """
    costs = [measure() for _ in range(3)]

    assert {cost.records for cost in costs} == {10_000_000}
    assert max(cost.peak_mb for cost in costs) <= MAX_MB
    assert min(cost.cpu_s for cost in costs) <= CPU_S
    if os.getloadavg()[0] > len(os.sched_getaffinity(0)):
        pytest.skip(f"other work keeps the cores busy: {min(c.wall_s for c in costs):.1f} s")
    assert min(cost.wall_s for cost in costs) <= MAX_S
