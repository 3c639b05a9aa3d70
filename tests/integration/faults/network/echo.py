"""A server that sends back what it gets, and clients of it and of proxies before it."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER_S = 10.0


class Echo:
    """Sends back what each client sends, until it is closed.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        clients: How many it has accepted.
    """

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self.clients = 0
        self._open: list[socket.socket] = []
        self._is_open = True
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        """Listen no more, and close the connections that there are; again is fine."""
        if not self._is_open:
            return
        self._is_open = False
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connected, _ = self._listener.accept()
                self.clients += 1
                self._open.append(connected)
                threading.Thread(target=_echo, args=(connected,), daemon=True).start()


def _echo(connected: socket.socket) -> None:
    with closing(connected), suppress(OSError):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while received := connected.recv(1 << 16):
            connected.sendall(received)


@contextmanager
def client_of(address: tuple[str, int]) -> Iterator[socket.socket]:
    """A connected client; its answers have a time limit."""
    with closing(socket.create_connection(address, ANSWER_S)) as connected:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield connected


def received(connected: socket.socket, size: int) -> bytes:
    """Return so many bytes, or fewer if the other side closes."""
    found = b""
    while len(found) < size and (part := connected.recv(size - len(found))):
        found += part
    return found


def round_trip_s(connected: socket.socket, data: bytes = b"ping") -> float:
    """Send, wait for the echo, and return how long that took."""
    begun_s = monotonic()
    connected.sendall(data)
    assert received(connected, len(data)) == data
    return monotonic() - begun_s


def is_refused(address: tuple[str, int]) -> bool:
    """Return whether a connection is refused."""
    try:
        with client_of(address):
            return False
    except ConnectionRefusedError:
        return True
