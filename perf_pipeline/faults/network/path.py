"""A path to a server, and how long an exchange over it takes, also one that does not end."""

from __future__ import annotations

import queue
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.faults.network.exchanges import exchange, open_session

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Trip:
    """An exchange with a server.

    Attributes:
        took_s: From the question to the answer; so far, if there is no answer yet.
        is_answered: There was an answer.
        error: What came in place of an answer; empty otherwise.
    """

    took_s: float
    is_answered: bool
    error: str = ""


class Path:
    """Exchanges over one session with a server, in a thread, so that nobody waits for a dead one.

    A session that fails is opened again by the next exchange; opening it is not timed.
    """

    def __init__(self, service: str, url: str, clock_ns: Callable[[], int]) -> None:
        """Prepare; nothing is opened.

        Args:
            service: The service.
            url: The server, directly or through a proxy.
            clock_ns: Monotonic, ns.
        """
        self._service = service
        self._url = url
        self._clock_ns = clock_ns
        self._asked: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._news = threading.Condition()
        self._begun_ns: int | None = None
        self._ended: Trip | None = None
        threading.Thread(target=self._run, name=f"path-{service}", daemon=True).start()

    def begin(self, size_bytes: int = 1) -> Trip | None:
        """Begin an exchange, unless one is under way.

        Returns:
            One that was begun before and has ended since nobody waited for it any more.
        """
        with self._news:
            ended, self._ended = self._ended, None
            if self._begun_ns is None:
                self._begun_ns = self._clock_ns()
                self._asked.put(size_bytes)
            return ended

    def wait(self, timeout_s: float) -> Trip:
        """Return the exchange that is under way, as far as it is after the timeout."""
        with self._news:
            self._news.wait_for(lambda: self._ended is not None, timeout_s)
            if self._ended is None:
                assert self._begun_ns is not None
                return Trip((self._clock_ns() - self._begun_ns) / 1e9, is_answered=False)
            ended, self._ended = self._ended, None
            return ended

    def close(self) -> None:
        """End the session once an exchange that is under way has ended; nobody waits for that."""
        self._asked.put(None)

    def _run(self) -> None:
        while (size_bytes := self._asked.get()) is not None:
            try:
                with ExitStack() as stack:
                    opened = stack.enter_context(open_session(self._service, self._url))
                    while size_bytes is not None:
                        self._exchange(opened, size_bytes)
                        size_bytes = self._asked.get()
            except Exception as error:  # noqa: BLE001 - unknown, it would look like silence
                text = str(error) or type(error).__name__
                self._end(Trip(0.0, is_answered=False, error=text))
            if size_bytes is None:
                return

    def _exchange(self, opened: Any, size_bytes: int) -> None:
        with self._news:
            begun_ns = self._begun_ns = self._clock_ns()
        exchange(self._service, opened, size_bytes)
        self._end(Trip((self._clock_ns() - begun_ns) / 1e9, is_answered=True))

    def _end(self, trip: Trip) -> None:
        with self._news:
            self._begun_ns, self._ended = None, trip
            self._news.notify_all()
