"""Ctrl-C and SIGTERM, noted instead of ending the command: once is a wish, twice an order."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

AS_ONE_S = 0.5
"""Signals this close together are one wish: ``timeout -s INT`` sends two, nobody presses twice."""


class EndAtOnceError(Exception):
    """The user asked a second time while results were being written."""


class Interruptions:
    """What was asked for. True once anything was.

    Attributes:
        signals: Every signal that came.
        times: How often it was asked to end; signals close together count once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing was asked for yet."""
        self.signals: list[signal.Signals] = []
        self.times = 0
        self._raising = False
        self._clock = clock
        self._latest_s = 0.0

    def __bool__(self) -> bool:
        return self.times > 0

    @property
    def at_once(self) -> bool:
        """It was asked more than once: nothing is waited for."""
        return self.times > 1

    def raise_at_once(self) -> None:
        """From now on a second wish is an ``EndAtOnceError``: for where nobody looks.

        Raises:
            EndAtOnceError: It was asked a second time already.
        """
        self._raising = True
        if self.at_once:
            self._raising = False
            raise EndAtOnceError

    def note(self, number: int, _frame: FrameType | None = None) -> None:
        """Note a signal; a handler.

        Raises:
            EndAtOnceError: It is the second wish, and the place is one where nobody looks.
        """
        now_s = self._clock()
        self.signals.append(signal.Signals(number))
        if not self.times or now_s - self._latest_s > AS_ONE_S:
            self.times += 1
        self._latest_s = now_s
        if self.at_once and self._raising:
            self._raising = False  # once: what follows is short
            raise EndAtOnceError


@contextmanager
def interruptions_noted() -> Iterator[Interruptions]:
    """Note Ctrl-C and SIGTERM for the block instead of ending.

    An exception could come between any two statements. A shell script starts its background
    commands with Ctrl-C ignored, and what is ignored stays so in children: with a handler here,
    the child starts with the default and can be stopped.
    """
    noted = Interruptions()
    watched = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(one, noted.note) for one in watched]
    try:
        yield noted
    finally:
        for one, handler in zip(watched, previous, strict=True):
            signal.signal(one, handler)
