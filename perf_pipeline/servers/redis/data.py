"""What a run keeps in Redis: keys with a prefix of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perf_pipeline.servers.redis.launch import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

_COUNT_S = 60.0
_BATCH = 1000
"""Keys that one SCAN looks at, and that one UNLINK removes: a few hundred microseconds each."""


def written_numbers(url: str, prefix: str, run_id: str, level: int) -> set[int]:
    """Return the numbers of the workflows of a level whose key is on the server.

    A key is ``<prefix><run_id>:<level>:<number>``, negative for a cold start; a key that ends
    otherwise is not a workflow's.

    Raises:
        NotAnsweringError: The server failed, so it is not known.
    """
    start = f"{prefix}{run_id}:{level}:"
    with session(url, _COUNT_S) as client:
        ends = (key.removeprefix(start) for keys in _scan(client, start) for key in keys)
        return {int(end) for end in ends if end.removeprefix("-").isdecimal()}


def delete(url: str, prefix: str) -> int:
    """Delete every key that starts with a prefix, and return how many there were.

    Raises:
        NotAnsweringError: The server failed.
        ValueError: The prefix is empty: that would be everything.
    """
    if not prefix:
        raise ValueError("an empty prefix would delete every key of the database")
    with session(url, _COUNT_S) as client:
        return sum(int(str(client.unlink(*keys))) for keys in _scan(client, prefix) if keys)


def _scan(client: Redis, prefix: str) -> Iterator[list[str]]:
    """Yield the keys with a prefix, batch by batch; one may come twice."""
    pattern = re.sub(r"([\[\]*?\\^-])", r"\\\1", prefix) + "*"
    cursor = 0
    while True:
        answer: tuple[int, list[str]] = client.scan(cursor, match=pattern, count=_BATCH)  # type: ignore[assignment]  # as info
        cursor, keys = answer
        yield keys
        if cursor == 0:
            return
