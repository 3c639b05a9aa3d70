"""A target behind a circuit breaker that nothing closes: one failure of Redis, and it stays slow.

The first question that Redis does not answer in time opens it. From then on a slow fallback serves
every workflow, though Redis answers again: the failure is over, and its effect is not.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from urllib.parse import unquote, urlsplit

WORK_S, FALLBACK_S = 0.02, 0.25
PATIENCE_S = 0.5
_own = threading.local()


class _Breaker:
    is_open = False


def ask(_number: int) -> None:
    """Ask Redis and work for ``WORK_S``; behind the open breaker take ``FALLBACK_S``.

    Raises:
        OSError: Redis did not answer; the breaker is open now.
    """
    if _Breaker.is_open:
        time.sleep(FALLBACK_S)
        return
    try:
        _ping()
    except OSError:
        _Breaker.is_open = True
        raise
    time.sleep(WORK_S)


def _ping() -> None:
    connection = _connection()
    connection.sendall(b"PING\r\n")
    if connection.recv(64) != b"+PONG\r\n":
        raise ConnectionError("Redis answered something else than PONG")


def _connection() -> socket.socket:
    found: socket.socket | None = getattr(_own, "connection", None)
    if found is None:
        url = urlsplit(os.environ["PERF_PIPELINE_REDIS_URL"])
        found = socket.create_connection((url.hostname, url.port), timeout=PATIENCE_S)
        if url.password:
            found.sendall(f"AUTH {unquote(url.password)}\r\n".encode())
            if found.recv(64) != b"+OK\r\n":
                raise ConnectionError("Redis does not take the password")
        _own.connection = found
    return found
