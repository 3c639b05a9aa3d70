"""The data of a run in Redis: keys with its own prefix; a ``Storage``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from perf_pipeline.servers.redis.session import session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis

_COUNT_S = 60.0
_TRIED_TTL_S = 10
_BATCH = 1000
"""Keys that one SCAN looks at, and that one UNLINK removes: a few hundred microseconds each."""


NEEDED_PRIVILEGES = (
    "its keys perf_pipeline:* and some commands (ACL SETUSER user ~perf_pipeline:* +select +ping "
    "+client|setname +set +setex +scan +unlink)"
)


def storage_name(run_id: str) -> str:
    """Return the prefix of all keys of a run."""
    return f"perf_pipeline:{run_id}:"


def try_out(url: str, name: str) -> None:
    """Write a run's key, find it and delete it.

    Raises:
        NotAnsweringError: The server refused or failed.
    """
    with session(url, _COUNT_S) as client:
        client.client_setname(name.strip(":").replace(":", "-"))  # as a worker's connections
        client.execute_command("SETEX", f"{name}0:0", _TRIED_TTL_S, "")  # type: ignore[no-untyped-call]
        client.set(f"{name}0:0", "", ex=_TRIED_TTL_S)
    drop(url, name)


def create(url: str, name: str, seed: int) -> int:  # noqa: ARG001 - keys need nothing made before
    """Do nothing: keys need no table, and workflows read nothing here. Returns 0."""
    return 0


def written_numbers(url: str, name: str, run_id: str, level: int) -> set[int]:  # noqa: ARG001 - the name holds it
    """Return the numbers of the workflows of a load level whose key is on the server.

    A key is ``<name><level>:<number>``, with a negative number for a cold start; a key that ends
    otherwise is not a workflow's.

    Raises:
        NotAnsweringError: The server failed, so the numbers are not known.
    """
    start = f"{name}{level}:"
    with session(url, _COUNT_S) as client:
        ends = (key.removeprefix(start) for keys in _scan(client, start) for key in keys)
        return {int(end) for end in ends if end.removeprefix("-").isdecimal()}


def settle(url: str, name: str) -> str:
    """Delete a run's keys.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    keys = drop(url, name)
    return f"{keys} keys of the run deleted, other keys left alone; its caches stay warm."


def drop(url: str, name: str) -> int:
    """Delete every key that starts with a prefix, and return how many there were.

    Raises:
        NotAnsweringError: The server failed.
        ValueError: The prefix is empty: every key of the database would be deleted.
    """
    if not name:
        raise ValueError("an empty prefix would delete every key of the database")
    with session(url, _COUNT_S) as client:
        return sum(int(str(client.unlink(*keys))) for keys in _scan(client, name) if keys)


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
