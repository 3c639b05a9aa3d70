"""A shard goes on for as long as its run says that it waits."""

from __future__ import annotations

from redis import ConnectionError as RedisConnectionError

from assets.shards.awaited import AWAITED_S, say_awaited, wait_while_awaited

SAID_EVERY_S = 6.0
"""About as often as a run looks at its hosts."""


class SimulatedRedis:
    """Keys with a time to live in simulated time, renewed by a run until it dies.

    Attributes:
        now_s: The time.
    """

    def __init__(self, task: str, dies_s: float, gone: tuple[float, float] = (0, 0)) -> None:
        """The run says that it waits for ``task`` until ``dies_s``; Redis is gone meanwhile."""
        self.now_s, self._until = 0.0, {}
        self._task, self._dies_s, self._gone, self._said_s = task, dies_s, gone, 0.0

    def set(self, key: str, _value: int, *, ex: int) -> None:
        self._until[key] = self.now_s + ex

    def exists(self, key: str) -> bool:
        if self._gone[0] <= self.now_s < self._gone[1]:
            self._until.clear()
            raise RedisConnectionError
        return self._until.get(key, 0) > self.now_s

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds
        is_there = not self._gone[0] <= self.now_s < self._gone[1]
        if is_there and self.now_s < self._dies_s and self.now_s >= self._said_s + SAID_EVERY_S:
            say_awaited(self, [self._task])
            self._said_s = self.now_s


def _ended_s(redis: SimulatedRedis, task: str = "shard") -> float:
    wait_while_awaited(redis, task, redis.clock, redis.sleep)
    return redis.now_s


def test_a_shard_ends_half_a_minute_after_its_run_died_and_not_before() -> None:
    assert 600 < _ended_s(SimulatedRedis("shard", dies_s=600)) <= 600 + 2 * AWAITED_S + 2


def test_a_shard_that_no_run_waits_for_ends() -> None:
    redis = SimulatedRedis("another shard", dies_s=600)
    assert _ended_s(redis) == AWAITED_S + 1


def test_a_redis_that_is_gone_for_a_moment_and_forgets_ends_no_shard() -> None:
    redis = SimulatedRedis("shard", dies_s=600, gone=(100, 108))
    assert _ended_s(redis) > 600
