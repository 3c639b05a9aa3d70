"""Takes every connection that a server has to give, and each that becomes free."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_RETRY_S = 0.05
"""Between two tries of a full server: its clients may be as quick."""

_END_S = 5.0
_PREPARED_S = 20.0


class Keeper:
    """Threads that open connections until the server refuses; one of them then tries again."""

    def __init__(self, open_one: Callable[[], Callable[[], object]], threads: int) -> None:
        """Prepare; nothing is opened.

        Args:
            open_one: Opens a connection and returns what closes it.
            threads: How many open side by side.
        """
        self._open_one = open_one
        self._full, self._end = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._keep, args=(number == 0,), daemon=True)
            for number in range(threads)
        ]
        self._closers: list[Callable[[], object]] = []

    @property
    def connections(self) -> int:
        """How many connections it has."""
        return len(self._closers)

    def prepare(self, count: int) -> int:
        """Open so many connections and no more; returns how many there are."""
        tickets = iter(range(count))
        openers = [
            threading.Thread(target=self._open, args=(tickets,), daemon=True) for _ in self._threads
        ]
        for thread in openers:
            thread.start()
        for thread in openers:
            thread.join(_PREPARED_S)
        return len(self._closers)

    def start(self, full_s: float) -> bool:
        """Begin, and return whether the server was full within ``full_s``."""
        for thread in self._threads:
            thread.start()
        return self._full.wait(full_s)

    def stop(self) -> None:
        """Close everything."""
        self._end.set()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(_END_S)
        while self._closers:
            self._closers.pop()()

    def _open(self, tickets: Iterator[int]) -> None:
        for _ in tickets:
            if self._end.is_set():
                return
            try:
                self._closers.append(self._open_one())
            except (LimitReachedError, NotAnsweringError):
                return

    def _keep(self, is_watching: bool) -> None:  # noqa: FBT001 - of a thread
        while not self._end.is_set():
            try:
                close = self._open_one()
            except LimitReachedError:
                self._full.set()
                if not is_watching:
                    return
                self._end.wait(_RETRY_S)
            except NotAnsweringError:
                self._end.wait(_RETRY_S)
            else:
                self._closers.append(close)
