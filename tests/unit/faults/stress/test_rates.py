"""What programs use a second."""

from __future__ import annotations

import os
from collections import deque

from perf_pipeline.faults.stress.rates import Rates, Totals, totals


def test_rates_are_those_of_the_last_second() -> None:
    """Two cores for a second, then none: 4 Hz looks forget the busy second after another."""

    def look(n: int) -> Totals:
        return Totals((), 0.25 * n, min(0.5 * n, 2.0), 0.0, 1000 * n, 0.125 * n, 500 * n)

    looks = deque(map(look, range(10)))
    rates = Rates(looks.popleft, sleep=lambda _: None)
    found = [rates.over_last_second() for _ in range(9)]
    assert [one.cpu_s for one in found] == [2.0, 2.0, 2.0, 2.0, 1.5, 1.0, 0.5, 0.0, 0.0]
    assert {one.written_bytes for one in found} == {4000}
    assert {one.busy_s for one in found} == {0.5}
    assert {one.device_bytes for one in found} == {2000}


def test_the_first_rate_is_that_of_a_moment() -> None:
    """Without a look before it nothing would be known."""
    waited: list[float] = []
    looks = deque([Totals((7,), 0.0, 1.0, 0.0, 0), Totals((7,), 0.1, 1.1, 0.0, 0)])
    rate = Rates(looks.popleft, waited.append).over_last_second()
    assert waited == [0.05]
    assert round(rate.cpu_s, 6) == 1.0


def test_programs_that_have_just_begun_are_not_averaged_with_the_time_before() -> None:
    """One core from the first moment, after a second of nothing."""
    looks = deque([Totals((), at_s, 0.0, 0.0, 0) for at_s in (0.0, 0.1, 1.0)])
    looks += [Totals((7,), 1.25, 0.0, 0.0, 0), Totals((7,), 1.35, 0.1, 0.0, 0)]
    rates = Rates(looks.popleft, sleep=lambda _: None)
    assert [round(rates.over_last_second().cpu_s, 6) for _ in range(3)] == [0.0, 0.0, 1.0]


def test_processes_that_have_ended_count_nothing() -> None:
    """Ids above the kernel's greatest are nobody's."""
    assert totals([2**22 + 1], 5.0) == Totals((2**22 + 1,), 5.0, 0.0, 0.0, 0)
    own = totals([os.getpid()], 5.0)
    assert own.cpu_s > 0
