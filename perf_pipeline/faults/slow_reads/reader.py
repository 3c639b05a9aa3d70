"""Keeps slow clients open, and reads from each at a given rate."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.faults.slow_reads.slow_client import SlowClient

_TICK_S = 0.1
_TICKS_OF_A_LOOK = 5
"""The kernel's list of connections is long where many clients come and go."""

_END_S = 5.0
_OPENERS = 8
_ALL_AHEAD_BYTES = 256 << 20
"""Of answers that a server may have to keep, for all clients together."""


class SlowReader:
    """A thread that reads from its clients, and replaces those that the server has ended.

    Attributes:
        ports: Those of its clients; after the end, of the last ones.
    """

    def __init__(
        self,
        open_one: Callable[[], SlowClient],
        count: int,
        rate_bytes_per_s: float,
        ended: Callable[[set[int]], set[int]],
    ) -> None:
        """Prepare; nothing is opened.

        Args:
            open_one: Opens a client.
            count: How many there are.
            rate_bytes_per_s: What each reads.
            ended: Returns which of these ports the server has closed its end to. The client
                itself would learn it after all that it has not read yet.
        """
        self.ports: set[int] = set()
        self._open_one, self._ended = open_one, ended
        self._count, self._rate_bytes_per_s = count, rate_bytes_per_s
        self._ahead_bytes = _ALL_AHEAD_BYTES // count
        self._clients: dict[int, SlowClient] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)

    @property
    def count(self) -> int:
        """How many clients are open."""
        return len(self._clients)

    def open(self) -> None:
        """Open the clients; they ask nothing yet.

        Raises:
            NotAnsweringError: The server refused one.
        """
        with ThreadPoolExecutor(_OPENERS) as openers:
            opened = [openers.submit(self._open) for _ in range(self._count)]
        for one in opened:
            error = one.exception()
            if isinstance(error, LimitReachedError):
                raise NotAnsweringError(
                    f"{len(self._clients)} of {self._count} slow clients were accepted: {error}"
                ) from error
            one.result()

    def start(self) -> None:
        """Have the clients ask, and begin to read."""
        for client in tuple(self._clients.values()):
            try:
                self._begin(client)
            except OSError:
                self._forget(client.port)
        self._thread.start()

    def stop(self) -> None:
        """End the clients."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(_END_S)
        while self._clients:
            self._clients.popitem()[1].close()

    def _open(self) -> SlowClient:
        client = self._open_one()
        self._clients[client.port] = client
        self.ports.add(client.port)
        return client

    def _begin(self, client: SlowClient) -> None:
        client.start()
        client.ask(self._ahead_bytes)

    def _forget(self, port: int) -> None:
        self._clients.pop(port).close()
        self.ports.discard(port)  # another program may get it

    def _read(self) -> None:
        before_s, owed_bytes, ticks = time.monotonic(), 0.0, 0
        while not self._end.wait(_TICK_S):
            now_s = time.monotonic()
            owed_bytes += (now_s - before_s) * self._rate_bytes_per_s
            before_s, whole = now_s, int(owed_bytes)
            owed_bytes -= whole
            ticks += 1
            ended = set() if ticks % _TICKS_OF_A_LOOK else self._ended(set(self._clients))
            for port, client in tuple(self._clients.items()):
                try:
                    client.read(whole)
                    client.ask(self._ahead_bytes)
                except OSError:
                    ended.add(port)
            for port in ended:
                self._forget(port)
            self._replace()

    def _replace(self) -> None:
        while len(self._clients) < self._count and not self._end.is_set():
            try:
                client = self._open()
            except (OSError, NotAnsweringError, LimitReachedError):
                return
            try:
                self._begin(client)
            except OSError:
                self._forget(client.port)
                return
