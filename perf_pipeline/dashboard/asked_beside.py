"""Asks a question beside the pages, so that what hangs holds none of them up.

While somebody looks at pages, it is asked every few seconds. A page waits for the first answer for
a moment at most.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

EVERY_S = 4.0
KEPT_S = 15.0
"""What was found longer ago is not shown any more."""
WAIT_S = 0.5

Found = TypeVar("Found")


class AskedBeside(Generic[Found]):
    """Knows what was found last; every page looks at it."""

    def __init__(self, ask: Callable[[], Found], clock_s: Callable[[], float]) -> None:
        """Ask nothing yet.

        Args:
            ask: Returns what is found; called in a thread of its own.
            clock_s: Seconds since any moment.
        """
        self._ask_now, self._clock_s = ask, clock_s
        self._lock = threading.Lock()
        self._asking: threading.Thread | None = None
        self._asked_s = -EVERY_S
        self._found: tuple[float, Found] | None = None

    def look(self) -> Found | None:
        """Return what was found last; None where nothing was found for long."""
        asking = self._begin()
        found = self._recent()
        if found is None:
            asking.join(WAIT_S)
            found = self._recent()
        return found

    def _begin(self) -> threading.Thread:
        """Begin to ask, where that was long ago; return the thread that asked last."""
        with self._lock:
            now_s, asking = self._clock_s(), self._asking
            if asking is None or not (asking.is_alive() or now_s - self._asked_s < EVERY_S):
                self._asked_s = now_s
                asking = threading.Thread(target=self._ask, daemon=True)
                self._asking = asking
                asking.start()
            return asking

    def _recent(self) -> Found | None:
        if self._found is None or self._clock_s() - self._found[0] > KEPT_S:
            return None
        return self._found[1]

    def _ask(self) -> None:
        found = self._ask_now()
        self._found = (self._clock_s(), found)
