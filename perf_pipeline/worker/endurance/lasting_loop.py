"""The threads of a lasting worker: each keeps its slot of the target for the whole campaign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.worker.closed_loop import ClosedLoop
from perf_pipeline.worker.endurance.planted_leak import LeakingSlot

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Slot
    from perf_pipeline.worker.endurance.hour_link import HourLink
    from perf_pipeline.worker.endurance.planted_leak import PlantedLeak


class LastingLoop(ClosedLoop):
    """Threads that play one hour after the other until the chain of hours ends."""

    def follow(self, first: HourLink, leak: PlantedLeak | None) -> None:
        """Set where the chain begins; called before ``start``.

        Args:
            first: Its first link.
            leak: What workflows leak on purpose; None for nothing.
        """
        self._links: list[HourLink | None] = [first] * self._slots.slots
        self._leak = leak

    def _play_slot(self, target_slot: Slot, slot: int) -> None:
        if self._leak is not None:
            target_slot = LeakingSlot(target_slot, self._leak)
        # Taken out of the list, so that nothing keeps the hours that are over.
        link, self._links[slot] = self._links[slot], None
        while link is not None:
            link.wait()
            hour = link.hour
            if hour is not None:
                hour.play_slot(target_slot, slot)
            del hour
            link = link.next
