"""The offset of a host's clock to Redis's, against the true one of a simulated world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perf_pipeline.shards.clock import ROUND_TRIPS, OffsetClock, clock_id
from tests.unit.shards.simulated_redis import EPOCH_NS, Host, World


def _measured(host: Host, trips: list[tuple[float, float]]) -> OffsetClock:
    """Ask for the time over round trips with these delays, there and back, ns."""
    clock, world = OffsetClock(host.now_ns), host.world

    def ask_time(there_ns: float, back_ns: float) -> tuple[int, int]:
        world.now_ns += round(there_ns)
        answer = divmod((EPOCH_NS + world.now_ns) // 1000, 1_000_000)
        world.now_ns += round(back_ns)
        return answer

    for there_ns, back_ns in trips:
        clock.ask(lambda there=there_ns, back=back_ns: ask_time(there, back))
    return clock


def test_the_true_offset_lies_within_the_error_whatever_way_the_delays_are() -> None:
    """300 hosts with any offset, delays of 10 us to 1 s that differ by way."""
    rng = np.random.default_rng(18)
    for _ in range(300):
        host = Host(World(), offset_ns=int(rng.integers(0, 10**17)))
        host.world.now_ns = int(rng.integers(0, 10**15))
        delays = np.exp(rng.uniform(np.log(1e4), np.log(1e9), (ROUND_TRIPS, 2)))
        measured = _measured(host, [tuple(pair) for pair in delays.tolist()]).quickest()
        truth_ns = EPOCH_NS - host.offset_ns
        assert abs(measured.offset_ns - truth_ns) <= measured.error_ns
        assert measured.error_ns == pytest.approx(delays.sum(axis=1).min() / 2, abs=1_001)


def test_the_error_is_no_larger_than_delays_that_are_all_one_way_need() -> None:
    """The way there takes 2 ms and the way back nothing: the offset is off by the whole error."""
    for trip, sign in (((2e6, 0.0), 1), ((0.0, 2e6), -1)):
        measured = _measured(Host(World()), [trip] * ROUND_TRIPS).quickest()
        off_ns = measured.offset_ns - EPOCH_NS
        assert off_ns == pytest.approx(sign * 1e6, abs=500)
        assert measured.error_ns == 1_000_500


def test_whole_microseconds_make_the_offset_neither_early_nor_late_on_average() -> None:
    """A round trip at each of the 1000 ns of a microsecond: off by half of one at most."""
    off_ns = []
    for phase_ns in range(1000):
        world = World()
        world.now_ns = phase_ns
        off_ns.append(_measured(Host(world), [(2e4, 2e4)]).quickest().offset_ns - EPOCH_NS)
    assert max(off_ns) - min(off_ns) == 999
    assert abs(sum(off_ns)) <= 500
    assert max(map(abs, off_ns)) <= 500


def test_a_quick_round_trip_of_long_ago_does_not_hide_that_clocks_drift() -> None:
    """A clock that is 200 ppm fast is off by 2 ms after 10 s; the latest trips see that."""
    host = Host(World(), drift=200e-6)
    quick, slow = [(1e4, 1e4)], [(3.4e8, 3.4e8)] * ROUND_TRIPS
    before = _measured(host, quick).quickest()
    after = _measured(host, quick + slow)
    assert host.world.now_ns > 10e9
    truth_ns = EPOCH_NS + host.world.now_ns - host.now_ns()
    assert abs(before.offset_ns - truth_ns) > 2_000_000 > before.error_ns
    assert abs(after.quickest().offset_ns - truth_ns) <= after.quickest().error_ns


def test_processes_of_one_boot_and_time_namespace_have_one_clock() -> None:
    boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    assert clock_id() == f"{boot_id}-{Path('/proc/self/ns/time').stat().st_ino}"
