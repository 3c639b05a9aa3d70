"""A Redis, hosts with clocks of their own and a network with delays, in simulated time.

Each shard is a thread, and one runs at a time: whoever waits hands over to the one that is due
next. So a meeting of minutes takes milliseconds, and the true time of everything is known.
"""

from __future__ import annotations

import heapq
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EPOCH_NS = 1_700_000_000_000_000_000


class World:
    """True time, ns, and whose turn it is."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._turn = threading.Condition()
        self._queue: list[tuple[int, int, int]] = []
        self._order = count()
        self._running = 0

    def wait(self, ns: float) -> None:
        """Let ``ns`` pass for the calling thread."""
        with self._turn:
            self._enter(self.now_ns + max(int(ns), 0))
            self._hand_over()
            self._until_my_turn()

    def play(self, shards: list[Callable[[], Any]]) -> list[Any]:
        """Play all to their end, and return what each returned or raised."""
        ends: list[Any] = [None] * len(shards)

        def one(place: int) -> None:
            with self._turn:
                self._enter(0)
                if len(self._queue) == len(shards):
                    self._hand_over()
                self._until_my_turn()
            try:
                ends[place] = shards[place]()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                ends[place] = error
            with self._turn:
                self._hand_over()

        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(shards))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ends

    def _enter(self, at_ns: int) -> None:
        heapq.heappush(self._queue, (at_ns, next(self._order), threading.get_ident()))

    def _hand_over(self) -> None:
        if self._queue:
            self.now_ns, _, self._running = heapq.heappop(self._queue)
            self._turn.notify_all()

    def _until_my_turn(self) -> None:
        me = threading.get_ident()
        assert self._turn.wait_for(lambda: self._running == me, timeout=60)
        self._running = 0


@dataclass
class Host:
    """A host whose CLOCK_MONOTONIC has an offset and drifts."""

    world: World
    offset_ns: int = 0
    drift: float = 0.0

    def now_ns(self) -> int:
        """Return its CLOCK_MONOTONIC."""
        return self.offset_ns + round(self.world.now_ns * (1 + self.drift))

    def sleep(self, seconds: float) -> None:
        """Wait by its clock."""
        self.world.wait(seconds * 1e9 / (1 + self.drift))

    def true_ns(self, monotonic_ns: int) -> float:
        """Return the true time at which its clock shows ``monotonic_ns``."""
        return (monotonic_ns - self.offset_ns) / (1 + self.drift)


@dataclass
class SimulatedRedis:
    """The commands that a barrier uses, each after a delay to Redis and one back."""

    world: World
    delays_ns: Callable[[], tuple[float, float]] = lambda: (100_000.0, 100_000.0)
    dies_at_ns: float = float("inf")
    values: dict[str, Any] = field(default_factory=dict)
    expiry_s: dict[str, int] = field(default_factory=dict)
    commands: int = 0

    @contextmanager
    def connect(self, url: str, timeout_s: float) -> Iterator[Any]:
        """Stand in for ``session``."""
        assert (url, timeout_s > 0) == ("redis://shards", True)
        yield self

    def trip(self, *calls: tuple[str, tuple[Any, ...]]) -> list[Any]:
        """Execute commands in one round trip."""
        there_ns, back_ns = self.delays_ns()
        self.world.wait(there_ns)
        if self.world.now_ns >= self.dies_at_ns:
            raise NotAnsweringError("Connection refused.")
        self.commands += len(calls)
        answers = [getattr(self, f"_{name}")(*arguments) for name, arguments in calls]
        self.world.wait(back_ns)
        return answers

    def time(self) -> Any:
        return self.trip(("time", ()))[0]

    def set(self, key: str, value: str, *, nx: bool, ex: int) -> Any:
        return self.trip(("set", (key, value, nx, ex)))[0]

    def hsetnx(self, key: str, name: str, value: str) -> Any:
        return self.trip(("hsetnx", (key, name, value)))[0]

    def expire(self, key: str, seconds: int) -> Any:
        return self.trip(("expire", (key, seconds)))[0]

    def hgetall(self, key: str) -> Any:
        return self.trip(("hgetall", (key,)))[0]

    def zrangebyscore(self, key: str, low: float, high: float, *, withscores: bool) -> Any:
        assert withscores
        return self.trip(("zrangebyscore", (key, low, high)))[0]

    @contextmanager
    def pipeline(self, *, transaction: bool) -> Iterator[Pipeline]:
        assert not transaction
        yield Pipeline(self)

    def _time(self) -> tuple[int, int]:
        return divmod((EPOCH_NS + self.world.now_ns) // 1000, 1_000_000)

    def _get(self, key: str) -> Any:
        return self.values.get(key)

    def _set(self, key: str, value: str, nx: bool, ex: int) -> bool:  # noqa: FBT001
        if nx and key in self.values:
            return False
        self.values[key], self.expiry_s[key] = value, ex
        return True

    def _hsetnx(self, key: str, name: str, value: str) -> int:
        fields = self.values.setdefault(key, {})
        return 0 if name in fields else (fields.__setitem__(name, value), 1)[1]

    def _expire(self, key: str, seconds: int) -> None:
        self.expiry_s[key] = seconds

    def _hgetall(self, key: str) -> dict[str, str]:
        return dict(self.values.get(key, {}))

    def _hlen(self, key: str) -> int:
        return len(self.values.get(key, {}))

    def _hset(self, key: str, name: str, value: str) -> None:
        self.values.setdefault(key, {})[name] = value

    def _hget(self, key: str, name: str) -> Any:
        return self.values.get(key, {}).get(name)

    def _zadd(self, key: str, scores: dict[str, float]) -> None:
        self.values.setdefault(key, {}).update(scores)

    def _zrangebyscore(self, key: str, low: float, high: float) -> list[tuple[str, float]]:
        scores = self.values.get(key, {}).items()
        return [(name, score) for name, score in scores if low <= score <= high]

    def _zcount(self, key: str, low: float, high: float) -> int:
        return len(self._zrangebyscore(key, low, high))

    def _hexists(self, key: str, name: str) -> bool:
        return name in self.values.get(key, {})


class Pipeline:
    """Commands that go to Redis together."""

    def __init__(self, redis: SimulatedRedis) -> None:
        self._redis = redis
        self._calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *arguments, **options: self._calls.append(
            (name, (*arguments, *options.values()))
        )

    def execute(self) -> list[Any]:
        return self._redis.trip(*self._calls)
