"""Ctrl-C, SIGTERM and SIGHUP as requests: the first stops the run in order, the second at once."""

from __future__ import annotations

import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.program.ending import CODES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from perf_pipeline.exit_code import Exit

AS_ONE_S = 0.5
"""Signals this close together are one request: ``timeout -s INT`` sends two."""


class EndAtOnceError(Exception):
    """The user asked a second time while results were being written."""


class Interruptions:
    """The requests to stop so far; true after the first.

    Attributes:
        signals: Every signal that came.
        times: Requests; signals close together count once.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a request."""
        self.signals: list[signal.Signals] = []
        self.times = 0
        self._raising = False
        self._clock = clock
        self._latest_s = 0.0

    def __bool__(self) -> bool:
        return self.times > 0

    @property
    def at_once(self) -> bool:
        """Whether a second request came, after which nothing is waited for."""
        return self.times > 1

    @property
    def code(self) -> Exit | None:
        """The exit code of a command that was asked to end, by the first signal; None without."""
        return CODES[self.signals[0]] if self.signals else None

    def raise_at_once(self) -> None:
        """Raise ``EndAtOnceError`` at a second request from now on, for code that does not poll.

        Raises:
            EndAtOnceError: The second request has come already.
        """
        self._raising = True
        if self.at_once:
            self._raising = False
            raise EndAtOnceError

    def note(self, number: int, _frame: FrameType | None = None) -> None:
        """Note a signal; a handler.

        Raises:
            EndAtOnceError: It is the second request, and ``raise_at_once`` was called.
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
    """Note Ctrl-C, SIGTERM and SIGHUP (a closed terminal) for the block instead of ending.

    An exception could come between any two statements. A shell script starts its background
    commands with Ctrl-C ignored, and what is ignored stays so in children: with a handler here,
    the child starts with the default and can be stopped. SIGHUP that is ignored stays so:
    ``nohup`` means the run to go on.
    """
    noted = Interruptions()
    watched = [number for number in CODES if not _is_meant_to_go_on(number)]
    previous = [signal.signal(one, noted.note) for one in watched]
    try:
        yield noted
    finally:
        for one, handler in zip(watched, previous, strict=True):
            signal.signal(one, handler)


def _is_meant_to_go_on(number: signal.Signals) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
