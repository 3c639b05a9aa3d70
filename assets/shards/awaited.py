"""Whether a run still waits for its shards: one that was killed can tell nobody.

While it waits, a run renews a key for each of its shards at the Redis of the queues.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from redis import RedisError

AWAITED_S = 15.0
"""How long what a run said is there, and how long a shard goes on without it: together 30 s after
the run last said it. A Redis that was started again may have lost it; the run says it again."""
_LOOK_EVERY_S = 2.0


def say_awaited(redis: Any, tasks: Iterable[str]) -> None:
    """Say that a run waits for these tasks."""
    for task in tasks:
        redis.set(_key(task), 1, ex=int(AWAITED_S))


def wait_while_awaited(
    redis: Any,
    task: str,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when nobody has waited for a task for ``AWAITED_S``, or Redis was gone so long."""
    seen_s = clock()
    while clock() - seen_s < AWAITED_S:
        with suppress(RedisError):
            if redis.exists(_key(task)):
                seen_s = clock()
        sleep(_LOOK_EVERY_S)


def _key(task: str) -> str:
    return f"perf_pipeline:awaited:{task}"
