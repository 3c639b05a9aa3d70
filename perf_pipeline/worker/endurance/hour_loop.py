"""One hour of a campaign, played by threads that have played the hours before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.slots import SLOTS_ENDED
from perf_pipeline.worker.closed_loop import ClosedLoop, lost_slot
from perf_pipeline.worker.open_loop import OpenLoop

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Slot


class NumberedSlot:
    """A target's slot that counts the workflows of the whole campaign.

    Records count from 0 in every hour; what a workflow stores and computes has a number that no
    other hour of the campaign has.
    """

    def __init__(self, slot: Slot, first: int) -> None:
        """Add ``first`` to the number of each workflow."""
        self._execute = slot.execute
        self._first = first

    def execute(self, kind: int, number: int) -> None:
        """As ``Slot.execute``."""
        self._execute(kind, self._first + number)


class HourLoop(OpenLoop):
    """An open loop without threads of its own.

    Attributes:
        closed: Its last record is being committed: nothing more starts.
        first: Number in the campaign of its first workflow.
    """

    closed = False
    first = 0

    def play_slot(self, target_slot: Slot, slot: int) -> None:
        """Play this hour in the calling thread, which has the slot; returns when it is over.

        Args:
            target_slot: What executes the workflows.
            slot: Its number.
        """
        try:
            self._play_slot(NumberedSlot(target_slot, self.first), slot)
        except BaseException as error:  # noqa: BLE001 a slot that is lost is reported with its text
            self.problems.append(lost_slot(slot, "played on", error))
        with self._ending:
            self._slots.words[SLOTS_ENDED] += 1
        if ClosedLoop.alive(self) <= 0:
            self._on_last_end()

    def _is_cut(self, go_ns: int) -> bool:
        return self.closed or super()._is_cut(go_ns)
