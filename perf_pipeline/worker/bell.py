"""The bell on which the main thread of a worker process sleeps until something happens.

An eventfd: a counter in the kernel that wakes whoever waits for it to become positive. The
supervisor has the same descriptor and rings after it has changed a value in the slot file (go,
stop, a shorter drain); the last slot to end rings too. A ring carries no message: whoever wakes
looks at the slot file, so no ring can be misunderstood, and one that comes before the wait is not
lost. The wait holds no interpreter lock.

That the supervisor has died needs no ring: the kernel kills the worker then (``lifeline``).
"""

from __future__ import annotations

import select
from os import eventfd_read, eventfd_write

_LONGEST_WAIT_S = 3600.0
"""poll(2) counts milliseconds in an int; a wait that ends early only looks once more."""


class Bell:
    """An eventfd that one thread waits for and any thread or process rings."""

    def __init__(self, descriptor: int) -> None:
        """Use an eventfd; the caller closes it."""
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def ring(self) -> None:
        """Wake the thread that waits, or the next one that would."""
        eventfd_write(self._descriptor, 1)

    def wait(self, seconds: float) -> None:
        """Sleep until it rings, or for ``seconds``."""
        if self._poll.poll(1000 * min(max(seconds, 0.0), _LONGEST_WAIT_S)):
            eventfd_read(self._descriptor)
