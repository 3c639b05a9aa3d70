"""The barrier at which the shards of a run meet before each level, and agree when it begins.

Keys of a level in Redis, ``perf_pipeline:shards:<run id>:<level>:...``:

arrived             hash: index of a shard -> the error of its clock, ns
decided             the agreed start in the time of Redis, or who is missing; the first one counts
clock:<clock id>    offset of a host's clock, so that all shards of a host start at one instant

A shard that is lost is not waited for; ``attendance.py`` has the keys by which the others know.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import ServiceUnavailableError, ShardMissingError
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.shards.attendance import ended_key, lost_shards, present_key
from perf_pipeline.shards.clock import ROUND_TRIPS, ClockOffset, OffsetClock, clock_id
from perf_pipeline.shards.missing import late_sentence, lost_sentence
from perf_pipeline.shards.shard_order import GONE_AFTER_S

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


@dataclass(frozen=True)
class Met:
    """How the shards met before a level.

    Attributes:
        go_ns: The agreed start, CLOCK_MONOTONIC of this host.
        offset_ns: What is added to CLOCK_MONOTONIC of this host to get the time of Redis.
        error_ns: How far the true offset is from it at most.
        waited_s: How long this shard waited for the others.
    """

    go_ns: int
    offset_ns: int
    error_ns: int
    waited_s: float


class ShardBarrier:
    """Where one shard meets the others; a ``Meeting``.

    Args:
        url: Of the Redis that all shards reach.
        run_id: The run's.
        index: This shard's.
        hosts: Name of the host of each shard, by index.
        arrive_within_s: How long a shard waits for the others.
        gone_after_s: A shard that was here and is silent for so long is not waited for.
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
        gone_after_s: float = GONE_AFTER_S,
        now_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], None] = time.sleep,
        connect: Callable[[str, float], AbstractContextManager[Redis]] = session,
        clock: str | None = None,
    ) -> None:
        self._url, self._run_id = url, run_id
        self._index, self._hosts, self._count = index, tuple(hosts), len(hosts)
        self._arrive_within_s, self._gone_after_s = arrive_within_s, gone_after_s
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
            ShardMissingError: A shard did not arrive in time or is lost, or this one came too late
                or twice.
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
        waited_s = (now_ns - arrived_ns) / 1e9
        return Met(go_ns, offset.offset_ns, offset.error_ns, waited_s)

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
            decided, arrived, is_known, lost = self._look(redis, keys, clock)
            if not is_known:
                raise ServiceUnavailableError(
                    f"{self._who()} waited for the others, and the Redis of the shards lost its "
                    "keys: it was restarted or flushed. No load is generated; run again."
                )
            if decided is not None:
                found: dict[str, Any] = json.loads(decided)
                return found
            is_late = (self._now_ns() - arrived_ns) / 1e9 > self._arrive_within_s
            is_due = arrived >= self._count or lost or is_late
            if not (is_due and self._decide(redis, keys, clock, is_late=is_late)):
                self._sleep(self._poll_s)

    def _look(
        self, redis: Redis, keys: str, clock: OffsetClock
    ) -> tuple[str | None, int, bool, int]:
        """Ask for the decision, how many have arrived, whether this shard has, and how many left.

        Each question is a round trip more by which the clock is known.
        """
        answers: list[Any] = []
        silent_since_s = self._redis_now_ns(clock) / 1e9 - self._gone_after_s

        def ask() -> tuple[int, int]:
            with redis.pipeline(transaction=False) as pipeline:
                pipeline.time()
                pipeline.get(f"{keys}decided")
                pipeline.hlen(f"{keys}arrived")
                pipeline.hexists(f"{keys}arrived", str(self._index))
                pipeline.hlen(ended_key(self._run_id))
                pipeline.zcount(present_key(self._run_id), 0, silent_since_s)
                answers.extend(pipeline.execute())
            return _time(answers[0])

        clock.ask(ask)
        return answers[1], answers[2], bool(answers[3]), answers[4] + answers[5]

    def _decide(self, redis: Redis, keys: str, clock: OffsetClock, *, is_late: bool) -> bool:
        """Agree on a start, or give up for all; returns whether there was any reason to."""
        stored: Any = redis.hgetall(f"{keys}arrived")
        errors_ns = {int(index): int(error_ns) for index, error_ns in stored.items()}
        now_ns = self._redis_now_ns(clock)
        if len(errors_ns) < self._count:
            lost = lost_shards(redis, self._run_id, now_ns / 1e9, self._gone_after_s)
            if not lost and not is_late:
                return False  # one was silent for a while, and is back
            decided: dict[str, Any] = {"arrived": sorted(errors_ns), "lost": lost}
        else:
            worst_ns = _LEAD_ERRORS * max(errors_ns.values())
            lead_ns = _LEAD_NS + int(2e9 * self._poll_s) + worst_ns
            decided = {"go_ns": now_ns + lead_ns}
        redis.set(f"{keys}decided", json.dumps(decided), nx=True, ex=self._expire_s)
        return True

    def _redis_now_ns(self, clock: OffsetClock) -> int:
        return self._now_ns() + clock.quickest().offset_ns

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
        lost = {int(index): why for index, why in decided["lost"].items()}
        if lost:
            return lost_sentence(level, lost, arrived, self._hosts)
        return late_sentence(level, arrived, self._hosts, self._arrive_within_s, self._index)

    def _who(self) -> str:
        return f"shard {self._index} of {self._count} on host {self._hosts[self._index]}"


def _time(answer: Any) -> tuple[int, int]:
    seconds, microseconds = answer
    return int(seconds), int(microseconds)
