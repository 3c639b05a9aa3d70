"""The barrier at which the shards of a run meet before each level, and agree when it begins.

Keys of a level in Redis, ``perf_pipeline:shards:<run id>:<level>:...``:

arrived             hash: index of a shard -> the error of its clock, ns
decided             the agreed start in the time of Redis, or who is missing; the first one counts
clock:<clock id>    offset of a host's clock, so that all shards of a host start at one instant
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import ServiceUnavailableError, ShardMissingError
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.shards.clock import ROUND_TRIPS, ClockOffset, OffsetClock, clock_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from redis import Redis

_POLL_S = 0.02
_POLL_S_PER_SHARD = 0.002
"""However many shards wait, they ask Redis 500 times a second at most."""
_LEAD_NS = 1_000_000_000
_LEAD_ERRORS = 16
"""A start lies so far ahead, and two polls: all read it before, also where answers take long."""
_ANSWER_S = 10.0
_EXPIRE_S = 3600
_NAMED = 10
"""Of so many shards a sentence names the hosts."""


@dataclass(frozen=True)
class Met:
    """How the shards met before a level.

    Attributes:
        go_ns: The agreed start, CLOCK_MONOTONIC of this host.
        offset_ns: What is added to CLOCK_MONOTONIC of this host to get the time of Redis.
        error_ns: How far the true offset is from it at most.
        waited_s: How long this shard waited for the others.
        hosts: Host of each shard, by index.
    """

    go_ns: int
    offset_ns: int
    error_ns: int
    waited_s: float
    hosts: dict[int, str]


class ShardBarrier:
    """Where one shard meets the others; a ``Meeting``.

    Args:
        url: Of the Redis that all shards reach.
        run_id: The run's.
        index: This shard's.
        hosts: Name of the host of each shard, by index.
        arrive_within_s: How long a shard waits for the others.
        now_ns: CLOCK_MONOTONIC, ns.
        sleep: Waits some seconds.
        connect: Opens a session with a Redis; second argument: seconds that an answer may take.
        clock: Identifies CLOCK_MONOTONIC of this host; None: this process's.
    """

    def __init__(
        self,
        url: str,
        run_id: str,
        index: int,
        hosts: Sequence[str],
        *,
        arrive_within_s: float,
        now_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        connect: Callable[[str, float], AbstractContextManager[Redis]] = session,
        clock: str | None = None,
    ) -> None:
        self._url, self._run_id = url, run_id
        self._index, self._hosts, self._count = index, tuple(hosts), len(hosts)
        self._arrive_within_s = arrive_within_s
        self._now_ns, self._sleep, self._connect = now_ns, sleep, connect
        self._clock_id = clock_id() if clock is None else clock
        self._expire_s = int(arrive_within_s) + _EXPIRE_S
        self._poll_s = max(_POLL_S, self._count * _POLL_S_PER_SHARD)
        self.met: dict[str, Met] = {}

    def meet(self, level: str) -> int:
        """Wait until all shards are here, and return the agreed start.

        Args:
            level: Name of the level's folder.

        Returns:
            CLOCK_MONOTONIC of this host, ns; it lies ahead.

        Raises:
            ShardMissingError: A shard did not arrive in time, or this one came too late or twice.
            ServiceUnavailableError: Redis cannot be used.
        """
        try:
            with self._connect(self._url, _ANSWER_S) as redis:
                met = self._meet(redis, level)
        except NotAnsweringError as error:
            raise ServiceUnavailableError(
                f"{self._who()} could not meet the others before level {level}: the Redis of the "
                f"shards failed ({error}). It generates no load; start that Redis, check "
                "PERF_PIPELINE_SHARDS_URL on this host, and run again."
            ) from error
        self.met[level] = met
        return met.go_ns

    def _meet(self, redis: Redis, level: str) -> Met:
        keys = f"perf_pipeline:shards:{self._run_id}:{level}:"
        clock = OffsetClock(self._now_ns)
        for _ in range(ROUND_TRIPS):
            clock.ask(lambda: _time(redis.time()))
        self._arrive(redis, keys, level, clock.quickest().error_ns)
        arrived_ns = self._now_ns()
        decided = self._wait(redis, keys, clock, arrived_ns)
        if "go_ns" not in decided:
            raise ShardMissingError(self._missing(level, decided))
        offset = self._common_offset(redis, keys, clock.quickest())
        go_ns = int(decided["go_ns"]) - offset.offset_ns
        now_ns = self._now_ns()
        if now_ns > go_ns:
            raise ShardMissingError(
                f"{self._who()} learnt the agreed start of level {level} "
                f"{(now_ns - go_ns) / 1e9:.3f} s after it: the others began without it, and it "
                "generates no load. Its process did not get the CPU, or it is a second attempt."
            )
        hosts = dict(enumerate(self._hosts))
        waited_s = (now_ns - arrived_ns) / 1e9
        return Met(go_ns, offset.offset_ns, offset.error_ns, waited_s, hosts)

    def _arrive(self, redis: Redis, keys: str, level: str, error_ns: int) -> None:
        is_first = redis.hsetnx(f"{keys}arrived", str(self._index), str(error_ns))
        redis.expire(f"{keys}arrived", self._expire_s)
        if not is_first:
            raise ShardMissingError(
                f"{self._who()} has arrived at level {level} before: it was started twice. The "
                "second one generates no load; a run that failed is run again as a whole."
            )

    def _wait(self, redis: Redis, keys: str, clock: OffsetClock, arrived_ns: int) -> dict[str, Any]:
        """Wait for a decision, or make it: the first that is written counts."""
        while True:
            decided, arrived, is_known = self._look(redis, keys, clock)
            if not is_known:
                raise ServiceUnavailableError(
                    f"{self._who()} waited for the others, and the Redis of the shards lost its "
                    "keys: it was restarted or flushed. No load is generated; run again."
                )
            if decided is not None:
                found: dict[str, Any] = json.loads(decided)
                return found
            waited_s = (self._now_ns() - arrived_ns) / 1e9
            if arrived >= self._count or waited_s > self._arrive_within_s:
                self._decide(redis, keys, clock)
            else:
                self._sleep(self._poll_s)

    def _look(self, redis: Redis, keys: str, clock: OffsetClock) -> tuple[str | None, int, bool]:
        """Ask for the decision, how many have arrived, and whether this shard is among them.

        Each question is a round trip more by which the clock is known.
        """
        answers: list[Any] = []

        def ask() -> tuple[int, int]:
            with redis.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.get(f"{keys}decided")
                pipeline.hlen(f"{keys}arrived")
                pipeline.hexists(f"{keys}arrived", str(self._index))
                answers.extend(pipeline.execute())
            return _time(answers[0])

        clock.ask(ask)
        return answers[1], answers[2], bool(answers[3])

    def _decide(self, redis: Redis, keys: str, clock: OffsetClock) -> None:
        """Agree on a start, or give up for all, also for those that arrive later."""
        stored: Any = redis.hgetall(f"{keys}arrived")
        errors_ns = {int(index): int(error_ns) for index, error_ns in stored.items()}
        if len(errors_ns) < self._count:
            decided: dict[str, Any] = {"arrived": sorted(errors_ns)}
        else:
            worst_ns = _LEAD_ERRORS * max(errors_ns.values())
            lead_ns = _LEAD_NS + int(2e9 * self._poll_s) + worst_ns
            now_ns = self._now_ns() + clock.quickest().offset_ns
            decided = {"go_ns": now_ns + lead_ns}
        redis.set(f"{keys}decided", json.dumps(decided), nx=True, ex=self._expire_s)

    def _common_offset(self, redis: Redis, keys: str, measured: ClockOffset) -> ClockOffset:
        """Return the offset that the first shard with this clock measured."""
        key = f"{keys}clock:{self._clock_id}"
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.set(key, json.dumps(asdict(measured)), nx=True, ex=self._expire_s)
            pipeline.get(key)
            _, first = pipeline.execute()
        return ClockOffset(**json.loads(first))

    def _missing(self, level: str, decided: dict[str, Any]) -> str:
        arrived = decided["arrived"]
        missing = sorted(set(range(self._count)).difference(arrived))
        late = f" {self._who()} came after they had given up." if self._index in missing else ""
        return (
            f"{len(missing)} of {self._count} shards did not arrive at level {level} within "
            f"{self._arrive_within_s:g} s: {self._named(missing)}. There: "
            f"{self._named(arrived)}.{late} "
            "The level generates no load. Look at the logs of the missing shards' hosts, or raise "
            "the time that shards have to arrive; then run again."
        )

    def _named(self, indices: Sequence[int]) -> str:
        """Return the first shards with their hosts, and the indices of all others."""
        shown, others = indices[:_NAMED], indices[_NAMED:]
        names = ", ".join(f"{index} ({self._hosts[index]})" for index in shown)
        return f"{names}, and {_ranges(others)}" if others else names

    def _who(self) -> str:
        return f"shard {self._index} of {self._count} on host {self._hosts[self._index]}"


def _time(answer: Any) -> tuple[int, int]:
    seconds, microseconds = answer
    return int(seconds), int(microseconds)


def _ranges(ordered: Sequence[int]) -> str:
    """Return ascending numbers as people write them: ``0, 2-5``."""
    starts = [ordered[0], *(b for a, b in pairwise(ordered) if b != a + 1)]
    ends = [*(a for a, b in pairwise(ordered) if b != a + 1), ordered[-1]]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
