"""A session with a Redis or Valkey: for a few commands, whose errors become one type."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool, parse_url
from redis.exceptions import RedisError
from redis.retry import Retry

from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def session(url: str, timeout_s: float) -> Iterator[Redis]:
    """Connect for a few commands, none of them longer than the timeout and none tried twice.

    Raises:
        NotAnsweringError: Whatever goes wrong in the block between us and the server.
    """
    # Not Redis.from_url: there an option of the URL would win over ours.
    arguments = {
        **parse_url(url),  # type: ignore[no-untyped-call]
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "decode_responses": True,
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        pool = ConnectionPool(**arguments)
        with closing(pool), Redis(connection_pool=pool) as client:
            yield client
    # OSError: the files of certificates. UnicodeError: what the URL's encoding cannot hold.
    except (RedisError, OSError, UnicodeError) as error:
        raise NotAnsweringError(str(error) or type(error).__name__) from error
