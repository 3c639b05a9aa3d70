"""Connections to Redis or Valkey: plain sockets that gave a name and stay idle.

A driver's connections would take some forty kilobytes each, and a Redis accepts ten thousand.
"""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from redis.connection import parse_url

from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = "perf_pipeline-connection"
_ANSWER_S = 2.0
_FULL = b"-ERR max number of clients"
_REFUSED = b"-"
_ANSWER_BYTES = 1024


class RedisConnections:
    """See ``Connections``."""

    OPENERS = 32

    def __init__(self, url: str) -> None:
        """Prepare; nothing is opened."""
        self._url = url
        # Opened before the server is full, and kept.
        self._watch = ProbeSession(partial(session, url, _ANSWER_S))

    def limit(self) -> int:
        """Return ``maxclients``."""
        if urlsplit(self._url).scheme != "redis":
            raise FaultRefusedError("its connections are taken over plain TCP: give a redis:// URL")
        return int(self._info()["maxclients"])

    def open(self) -> Callable[[], object]:
        """Open a connection, and give it a name."""
        opened = connected(self._url, NAME)
        return opened.close

    def total(self) -> int:
        """Return ``connected_clients``."""
        return int(self._info()["connected_clients"])

    def ours(self) -> int:
        """Count the clients with our name."""
        listed: Any = self._watch.ask(lambda client: client.client_list())
        return sum(one["name"] == NAME for one in listed)

    def stop_watching(self) -> None:
        """End the session that counts."""
        self._watch.close()

    def _info(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._watch.ask(lambda client: client.info("clients"))
        return answer


def connected(url: str, name: str, receive_bytes: int = 0) -> socket.socket:
    """Connect a plain socket to a Redis, log in as its URL says, and give a name.

    Args:
        url: ``redis://``; the server.
        name: What CLIENT LIST calls it.
        receive_bytes: Size of the buffer in which the kernel keeps what was not read yet; 0 for
            what it usually has.

    Raises:
        LimitReachedError: The server has as many connections as it accepts.
        NotAnsweringError: It failed otherwise.
    """
    given: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    commands = [("CLIENT", "SETNAME", name)]
    if given.get("password"):
        commands.insert(0, ("AUTH", given.get("username") or "default", given["password"]))
    opened = socket.socket()
    try:
        if receive_bytes:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        opened.settimeout(_ANSWER_S)
        opened.connect((given.get("host", "localhost"), given.get("port", 6379)))
        for command in commands:
            opened.sendall(encoded(*(word.encode() for word in command)))
            _check(opened.recv(_ANSWER_BYTES))
    except OSError as error:
        opened.close()
        raise NotAnsweringError(str(error)) from error
    except (LimitReachedError, NotAnsweringError):
        opened.close()
        raise
    return opened


def _check(answer: bytes) -> None:
    text = answer.decode(errors="replace").strip()
    if answer.startswith(_FULL):
        raise LimitReachedError(text)
    if not answer or answer.startswith(_REFUSED):
        raise NotAnsweringError(text or "it hung up")


def encoded(*words: bytes) -> bytes:
    """Return a command as Redis' protocol has it."""
    parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)]
    return b"".join(parts)
