"""The threads of a lasting worker: each keeps its slot of the target for the whole campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.worker.closed_loop import ClosedLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.targets.target import Slot
    from perf_pipeline.worker.endurance.hour_link import HourLink


class LastingLoop(ClosedLoop):
    """Threads that play one hour after the other until the chain of hours ends."""

    def follow(self, first: HourLink, leak: Callable[[Slot], Slot]) -> None:
        """Set where the chain begins; called before ``start``.

        Args:
            first: Its first link.
            leak: Makes a slot leak on purpose, or returns it as it is.
        """
        self._links: list[HourLink | None] = [first] * self._slots.slots
        self._leak = leak

    def _play_slot(self, target_slot: Slot, slot: int) -> None:
        leaking = self._leak(target_slot)
        # Taken out of the list, so that nothing keeps the hours that are over.
        link, self._links[slot] = self._links[slot], None
        while link is not None:
            link.wait()
            hour = link.hour
            if hour is not None:
                hour.play_slot(leaking, slot)
            del hour
            link = link.next
