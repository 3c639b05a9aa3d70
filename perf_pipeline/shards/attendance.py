"""Whether each shard of a run goes on: it says so at the Redis of the barrier, and when it ends.

Keys of a run in Redis, ``perf_pipeline:shards:<run id>:...``:

began       hash: index of a shard -> who plays it: one that is started again says nothing
present     sorted set: index of a shard -> when it last said that it goes on, s of Redis' time
ended       hash: index of a shard that has ended -> why; empty where nothing ended it early
"""

from __future__ import annotations

import threading
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from perf_pipeline.redaction.redact import redacted
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from redis import Redis

    from perf_pipeline.shards.shard_order import ShardOrder

_RENEWALS = 6
"""So many that fail one after the other make a shard lost."""
_ANSWER_S = 2.0
_EXPIRE_S = 86_400
"""So long after the last word of any shard Redis forgets them all."""
_ENDED = "has ended its part of the run before"


def present_key(run_id: str) -> str:
    """Return the key of the shards that go on."""
    return f"perf_pipeline:shards:{run_id}:present"


def ended_key(run_id: str) -> str:
    """Return the key of the shards that have ended."""
    return f"perf_pipeline:shards:{run_id}:ended"


def _began_key(run_id: str) -> str:
    return f"perf_pipeline:shards:{run_id}:began"


class Attendance:
    """Says that a shard goes on while it is entered, and at its exit that it ended, and why.

    A thread renews its presence six times in the time after which a silent shard is lost: a
    connection and two short round trips. A renewal that fails is left out; the next meeting says
    that Redis fails.

    Args:
        url: Of the Redis that all shards reach.
        order: Of the run.
        index: This shard's.
        notify: Called with a line where the others could not be told that it ended.
        connect: Opens a session with a Redis; second argument: seconds that an answer may take.
    """

    def __init__(
        self,
        url: str,
        order: ShardOrder,
        index: int,
        *,
        notify: Callable[[str], None],
        connect: Callable[[str, float], AbstractContextManager[Redis]] = session,
    ) -> None:
        self._url, self._run_id, self._index = url, order.run_id, str(index)
        self._player = uuid.uuid4().hex
        self._every_s = order.gone_after_s / _RENEWALS
        self._notify, self._connect = notify, connect
        self._has_ended = threading.Event()

    def __enter__(self) -> Self:
        self._try_to_renew()  # before the first meeting: who is killed after that is missed
        threading.Thread(target=self._go_on, name="attendance", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._has_ended.set()
        self.end("" if error is None else f"{type(error).__name__}: {error}")

    def renew(self) -> None:
        """Say that this shard goes on.

        Raises:
            NotAnsweringError: Redis does not answer.
        """
        with self._connect(self._url, _ANSWER_S) as redis:
            is_own, now_s = self._ask(redis)
            if is_own:
                key = present_key(self._run_id)
                with redis.pipeline(transaction=False) as pipeline:
                    pipeline.zadd(key, {self._index: now_s})
                    pipeline.expire(key, _EXPIRE_S)
                    pipeline.execute()

    def end(self, why: str) -> None:
        """Say that this shard has ended: whoever waits for it need not any more."""
        key = ended_key(self._run_id)
        try:
            with self._connect(self._url, _ANSWER_S) as redis:
                is_own, _ = self._ask(redis)
                if is_own:
                    with redis.pipeline(transaction=False) as pipeline:
                        pipeline.hset(key, self._index, redacted(why))
                        pipeline.expire(key, _EXPIRE_S)
                        pipeline.execute()
        except NotAnsweringError as error:
            self._notify(f"the other shards could not be told that this one ended: {error}")

    def _ask(self, redis: Redis) -> tuple[bool, float]:
        """Return whether this is the first one that plays the shard, and the time of Redis, s."""
        key = _began_key(self._run_id)
        with redis.pipeline(transaction=False) as pipeline:
            pipeline.hsetnx(key, self._index, self._player)
            pipeline.hget(key, self._index)
            pipeline.expire(key, _EXPIRE_S)
            pipeline.time()
            answers: Any = pipeline.execute()
        seconds, microseconds = answers[3]
        return answers[1] == self._player, int(seconds) + int(microseconds) / 1e6

    def _go_on(self) -> None:
        while not self._has_ended.wait(self._every_s):
            self._try_to_renew()

    def _try_to_renew(self) -> None:
        with suppress(NotAnsweringError):  # after six of them this shard is lost to the others
            self.renew()


def lost_shards(redis: Redis, run_id: str, now_s: float, gone_after_s: float) -> dict[int, str]:
    """Return the shards that come to no meeting any more, and what is known of each, in words.

    Args:
        redis: Of the barrier.
        run_id: The run's.
        now_s: The time of Redis.
        gone_after_s: A shard that was here and has said nothing for so long is lost.
    """
    key = present_key(run_id)
    silent: Any = redis.zrangebyscore(key, 0, now_s - gone_after_s, withscores=True)
    ended: Any = redis.hgetall(ended_key(run_id))
    lost = {
        int(index): f"was here and is not any more: it was last seen {now_s - seen_s:.0f} s ago, "
        "and since then its process or its host ended, or lost the Redis of the shards"
        for index, seen_s in silent
    }
    whys = {int(index): f"has ended: {why}" if why else _ENDED for index, why in ended.items()}
    return dict(sorted({**lost, **whys}.items()))
