"""The chain of hours along which every slot of a lasting worker goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.worker.own_time import new_lock

if TYPE_CHECKING:
    from perf_pipeline.worker.endurance.hour_loop import HourLoop


class HourLink:
    """One place of the chain: empty until its hour is announced, and again when that is over.

    Slots that have played an hour wait at the next link, on a lock that costs nothing meanwhile.
    A link that a hanging slot still holds keeps the links behind it, but none of their hours.

    Attributes:
        hour: What is played here; None before, after, and at the end of the chain.
        next: The link behind this one; None at the end of the chain.
    """

    def __init__(self) -> None:
        """Make an empty link."""
        self._announced = new_lock()
        self._announced.acquire()
        self.hour: HourLoop | None = None
        self.next: HourLink | None = None

    def announce(self, hour: HourLoop) -> HourLink:
        """Let the slots play an hour; returns the link behind it."""
        self.hour, self.next = hour, HourLink()
        self._announced.release()
        return self.next

    def clear(self) -> None:
        """Forget the hour, which is over: slots that come later pass it by."""
        self.hour = None

    def end(self) -> None:
        """Let the slots end: no hour will be announced here."""
        self._announced.release()

    def wait(self) -> None:
        """Return once an hour is announced here, or none will be."""
        self._announced.acquire()
        self._announced.release()
