"""A workflow that is one HTTP request on the thread's own persistent connection.

The service is named in ``delayed_service_address``, a module of one line in a folder that
the worker is given as ``python_path``.
"""

from __future__ import annotations

import socket
import threading
from importlib import import_module

_ANSWER = b"HTTP/1.1 200 OK\r\n"
_LIMIT_S = 30.0
_own = threading.local()


def get(_number: int) -> None:
    """Ask once and wait for the whole answer.

    Raises:
        ConnectionError: The service closed the connection.
        AssertionError: It answered something else than 200.
    """
    connection = _connection()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    answer = b""
    while not answer.endswith(b"\r\n\r\nok"):
        part = connection.recv(4096)
        if not part:
            raise ConnectionError("the service closed the connection")
        answer += part
    if not answer.startswith(_ANSWER):
        raise AssertionError(f"the service answered {answer[:60]!r}")


def _connection() -> socket.socket:
    found: socket.socket | None = getattr(_own, "connection", None)
    if found is None:
        port = import_module("delayed_service_address").PORT
        found = socket.create_connection(("127.0.0.1", port), timeout=_LIMIT_S)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _own.connection = found
    return found
