"""Shards that meet, are missing, late, twice or stalled, in a simulated world of clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from perf_pipeline.errors import ServiceUnavailableError, ShardMissingError
from perf_pipeline.shards.barrier import ShardBarrier
from tests.unit.shards.simulated_redis import EPOCH_NS, Host, SimulatedRedis, World

if TYPE_CHECKING:
    from collections.abc import Callable

LEVEL = "00-100"


def _barrier(
    redis: SimulatedRedis, host: Host, index: int, count: int, **options: Any
) -> ShardBarrier:
    hosts = options.pop("hosts", [f"gen-{each}" for each in range(count)])
    return ShardBarrier(
        "redis://shards",
        "20261130_110000-ab12",
        index,
        hosts,
        arrive_within_s=options.pop("arrive_within_s", 60.0),
        now_ns=options.pop("now_ns", host.now_ns),
        sleep=options.pop("sleep", host.sleep),
        connect=redis.connect,
        clock=options.pop("clock", hosts[index]),
    )


def _arriving(barrier: ShardBarrier, host: Host, at_s: float) -> Callable[[], int]:
    def play() -> int:
        host.world.wait(at_s * 1e9)
        return barrier.meet(LEVEL)

    return play


def _hosts(world: World, count: int, rng: np.random.Generator) -> list[Host]:
    """Hosts that were booted at any time and drift by up to 50 ppm."""
    offsets, drifts = rng.integers(0, 10**16, count), rng.uniform(-50e-6, 50e-6, count)
    return [Host(world, int(o), float(d)) for o, d in zip(offsets, drifts, strict=True)]


def test_hosts_with_any_clocks_start_at_one_instant_within_their_stated_errors() -> None:
    """8 hosts arrive over 20 s by a network with uneven delays; the naive reference is true time.

    A clock that drifts by 50 ppm in the some seconds that a measurement is old adds 0.2 ms.
    """
    rng = np.random.default_rng(3)
    world = World()
    redis = SimulatedRedis(world, lambda: tuple(rng.uniform(5e4, 3e6, 2)))
    hosts = _hosts(world, 8, rng)
    barriers = [_barrier(redis, host, i, 8) for i, host in enumerate(hosts)]
    at_s = rng.uniform(0, 20, 8)
    plays = [_arriving(b, h, s) for b, h, s in zip(barriers, hosts, at_s, strict=True)]
    starts = world.play(plays)
    decided_ns = EPOCH_NS + max(at_s) * 1e9
    for host, barrier, go_ns in zip(hosts, barriers, starts, strict=True):
        met = barrier.met[LEVEL]
        assert met.go_ns == go_ns
        agreed_ns = go_ns + met.offset_ns - EPOCH_NS
        assert abs(host.true_ns(go_ns) - agreed_ns) <= met.error_ns + 200_000
        assert agreed_ns + EPOCH_NS > decided_ns + 1e9
    agreed = {go_ns + b.met[LEVEL].offset_ns for go_ns, b in zip(starts, barriers, strict=True)}
    assert len(agreed) == 1
    true_ns = [host.true_ns(go_ns) for host, go_ns in zip(hosts, starts, strict=True)]
    assert max(true_ns) - min(true_ns) < 3e6
    waited_s = [barrier.met[LEVEL].waited_s for barrier in barriers]
    assert np.argmax(waited_s) == np.argmin(at_s)
    assert set(redis.expiry_s) == set(redis.values)
    assert set(redis.expiry_s.values()) == {3660}


def test_shards_of_one_host_start_at_the_identical_instant() -> None:
    """Delays of up to 50 ms make each measure another offset; all take the first one's."""
    rng = np.random.default_rng(4)
    world = World()
    redis = SimulatedRedis(world, lambda: tuple(rng.uniform(1e5, 5e7, 2)))
    host = Host(world, 7_000_000)
    barriers = [_barrier(redis, host, i, 6, clock="gen-a") for i in range(6)]
    starts = world.play([_arriving(b, host, 0.3 * i) for i, b in enumerate(barriers)])
    assert len(set(starts)) == 1
    assert len({b.met[LEVEL].offset_ns for b in barriers}) == 1
    alone = World()
    redis = SimulatedRedis(alone, lambda: tuple(rng.uniform(1e5, 5e7, 2)))
    others = [_barrier(redis, Host(alone, 7_000_000), i, 6, clock=f"clock {i}") for i in range(6)]
    starts = alone.play([_arriving(b, Host(alone), 0.3 * i) for i, b in enumerate(others)])
    assert len(set(starts)) == 6, "with a clock each they differ, so the test sees a difference"


def test_a_slow_network_moves_the_start_so_far_that_all_learn_it_before() -> None:
    """Answers take 0.4 s to 2 s: with a lead of 1 s most would learn the start after it."""
    rng = np.random.default_rng(5)
    world = World()
    redis = SimulatedRedis(world, lambda: tuple(rng.uniform(2e8, 1e9, 2)))
    hosts = _hosts(world, 5, rng)
    barriers = [_barrier(redis, host, i, 5) for i, host in enumerate(hosts)]
    starts = world.play([_arriving(b, h, 0) for b, h in zip(barriers, hosts, strict=True)])
    assert [type(start) for start in starts] == [int] * 5


def test_levels_and_runs_meet_apart() -> None:
    world = World()
    redis = SimulatedRedis(world)
    host = Host(world)
    barriers = [_barrier(redis, host, i, 2) for i in range(2)]

    def two_levels(barrier: ShardBarrier) -> tuple[int, int]:
        first = barrier.meet("00-100")
        host.sleep(5)
        return first, barrier.meet("01-500")

    one, other = world.play([lambda b=b: two_levels(b) for b in barriers])
    assert one == other
    assert one[1] - one[0] > 5e9
    assert set(barriers[0].met) == {"00-100", "01-500"}


def test_missing_shards_end_the_meeting_for_all_with_their_indices_and_the_hosts_that_came() -> (
    None
):
    """Shards 1, 2 and 4 of 6 never come; shard 5 comes 30 s after the others gave up."""
    world = World()
    redis = SimulatedRedis(world)
    host = Host(world)
    late, *here = [_barrier(redis, host, index, 6) for index in (5, 0, 3)]
    plays = [_arriving(b, host, 0) for b in here]
    *ends, end_of_late = world.play([*plays, _arriving(late, host, 90)])
    for end in (*ends, end_of_late):
        assert isinstance(end, ShardMissingError)
        assert "4 of 6 shards did not arrive at level 00-100 within 60 s: 1 (gen-1)," in str(end)
        assert ", 2 (gen-2), 4 (gen-4), 5 (gen-5). There: 0 (gen-0), 3 (gen-3)." in str(end)
    assert "shard 5 of 6 on host gen-5 came after they had given up" in str(end_of_late)
    assert "had given up" not in str(ends[0])
    assert 60e9 < world.now_ns < 91e9, "who comes late does not wait"


def test_all_shards_start_or_none_when_the_last_one_comes_at_the_limit() -> None:
    """100 meetings: the last arrives some time around the limit of the others, 0.3 s."""
    rng = np.random.default_rng(6)
    kinds = set()
    for _ in range(100):
        world = World()
        redis = SimulatedRedis(world, lambda: tuple(rng.uniform(1e5, 2e7, 2)))
        host = Host(world)
        barriers = [_barrier(redis, host, i, 3, arrive_within_s=0.3) for i in range(3)]
        at_s = (0.0, rng.uniform(0, 0.05), 0.3 + rng.uniform(-0.3, 0.2))
        ends = world.play([_arriving(b, host, s) for b, s in zip(barriers, at_s, strict=True)])
        kind = {type(end) for end in ends}
        assert len(kind) == 1, ends
        kinds |= kind
    assert kinds == {int, ShardMissingError}, "both were seen"


def test_a_shard_that_was_started_twice_generates_no_load_the_second_time() -> None:
    world = World()
    redis = SimulatedRedis(world)
    host = Host(world)
    barriers = [_barrier(redis, host, index, 2) for index in (0, 0, 1)]
    first, second, other = world.play(
        [_arriving(b, host, s) for b, s in zip(barriers, (0, 1, 2), strict=True)]
    )
    assert first == other
    assert isinstance(second, ShardMissingError)
    assert "shard 0 of 2 on host gen-0 has arrived at level 00-100 before" in str(second)


def test_a_shard_that_stalls_until_after_the_start_says_so_and_generates_no_load() -> None:
    world = World()
    redis = SimulatedRedis(world)
    host = Host(world)
    stalled = _barrier(redis, host, 0, 2, sleep=lambda _: world.wait(5e9))
    end, other = world.play(
        [_arriving(stalled, host, 0), _arriving(_barrier(redis, host, 1, 2), host, 0.1)]
    )
    assert isinstance(other, int)
    assert isinstance(end, ShardMissingError)
    assert "shard 0 of 2 on host gen-0 learnt the agreed start of level 00-100 3." in str(end)


def test_a_redis_that_dies_or_forgets_ends_the_wait_with_a_sentence() -> None:
    for is_dead, words in ((True, "failed (Connection refused.)"), (False, "lost its keys")):
        world = World()
        redis = SimulatedRedis(world, dies_at_ns=2e9 if is_dead else float("inf"))
        host = Host(world)
        plays = [_arriving(_barrier(redis, host, 0, 2), host, 0)]
        if not is_dead:
            plays.append(lambda w=world, r=redis: (w.wait(2e9), r.values.clear()))
        end = world.play(plays)[0]
        assert isinstance(end, ServiceUnavailableError)
        assert words in str(end)
        assert "shard 0 of 2 on host gen-0" in str(end)
        assert world.now_ns < 2.1e9


def test_a_thousand_missing_shards_are_named_in_one_short_sentence() -> None:
    world = World()
    redis = SimulatedRedis(world)
    barrier = _barrier(redis, Host(world), 1, 1000)
    (end,) = world.play([_arriving(barrier, Host(world), 0)])
    assert "999 of 1000 shards did not arrive" in str(end)
    assert ": 0 (gen-0), 2 (gen-2), 3 (gen-3)," in str(end)
    assert ", 10 (gen-10), and 11-999." in str(end)
    assert len(str(end)) < 500


@pytest.mark.parametrize("count", [1, 2, 50, 400])
def test_waiting_shards_ask_redis_at_most_500_times_a_second(count: int) -> None:
    """One of them waits 20 s for the last: its share of 500 looks a second, or 50 a second."""
    world = World()
    redis = SimulatedRedis(world)
    world.play(
        [
            _arriving(
                _barrier(redis, Host(world), 0, count + 1, arrive_within_s=20.0), Host(world), 0
            )
        ]
    )
    looks = redis.commands / 6
    assert looks <= 20 * min(50.0, 500 / count) + 20
