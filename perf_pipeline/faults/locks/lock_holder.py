"""A session that takes a lock, in a thread of its own, and holds it while it is idle.

Everything else waits from the moment in which the lock is asked for, as servers queue locks: behind
a transaction of a second, it would otherwise be a second until anything could be observed.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable

LOCK_WAIT_S = 4
"""Of one try: a server goes on with it for so long after its client has died."""

_AGAIN_S = 0.01
_END_S = 2.0 * LOCK_WAIT_S


class LockSession(Protocol):
    """A lock that a session has."""

    def touch(self) -> None:
        """Have the server see that its client lives; an error of the server is no matter."""

    def close(self) -> None:
        """End the session."""


class LockHolder:
    """Takes a lock, again and again while others are in its way, and holds it."""

    def __init__(self, take: Callable[[], LockSession], passing: tuple[str, ...]) -> None:
        """Prepare; nothing is opened.

        Args:
            take: Waits ``LOCK_WAIT_S`` at most; raises NotAnsweringError.
            passing: Parts of the errors after which it is worth another try: of several sessions
                that wait for each other, the server ends one.
        """
        self._take, self._passing = take, passing
        self._held: LockSession | None = None
        self._error: NotAnsweringError | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._hold, daemon=True)

    def start(self) -> None:
        """Begin to take it."""
        self._thread.start()

    def touch(self) -> None:
        """Keep the lock from ending by itself, if it is held.

        Raises:
            NotAnsweringError: It could not be taken.
        """
        if self._error is not None:
            raise self._error
        if (held := self._held) is not None:
            held.touch()

    def stop(self) -> None:
        """Give it up."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join(_END_S)
        self._error = None

    def _hold(self) -> None:
        while self._held is None and not self._end.is_set():
            try:
                self._held = self._take()
            except NotAnsweringError as error:
                if not any(part in str(error) for part in self._passing):
                    self._error = error
                    return
                self._end.wait(_AGAIN_S)
        self._end.wait()
        if (held := self._held) is not None:
            self._held = None
            with suppress(NotAnsweringError):
                held.close()
