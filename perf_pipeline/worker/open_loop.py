"""Open loop: every workflow starts when the schedule says, or as soon as a slot is free after it.

The threads pull: each takes the next number of the worker's share, sleeps until it is due, stamps
its start and executes it. Nobody hands work over, so there is no queue whose own delay would have
to be told from the target's; when no thread is free, the schedule waits, and whoever comes free
takes what has waited longest. The times are data: a start that is late, because no slot was free
or because the target held the interpreter lock, is late in the record as well.
"""

from __future__ import annotations

from queue import SimpleQueue
from typing import TYPE_CHECKING

from perf_pipeline.samples.slots import GO_NS, STOP_NS
from perf_pipeline.worker.closed_loop import LONGEST_WAIT_S, ClosedLoop

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Slot
    from perf_pipeline.worker.arrival_share import ArrivalShare

TURNS = 16
"""Threads that wait for the time of a number; the others wait for their turn, and cost nothing.
So many workflows that are due at one moment are woken by timers of their own; 512 sleeping
threads took 7 % of a core (reference: trial)."""


class OpenLoop(ClosedLoop):
    """Plays one worker's share of an open-loop plan; the slots are those of a closed loop."""

    def schedule(self, share: ArrivalShare) -> None:
        """Say what arrives and when; before ``start``."""
        self._share = share
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(TURNS):
            self._turns.put(None)

    def alive(self) -> int:
        """Return how many slots have not ended; one that has no more to play waits for the stop."""
        waiting = self._slots.slots - len(self.problems) if not self._stopped() else 0
        return max(super().alive(), waiting)

    def _play_slot(self, target_slot: Slot, slot: int) -> None:
        self._wait_for_go()
        go_ns, timeout_ns = self._slots.words[GO_NS], self._share.start_timeout_ns
        while (taken := self._take(go_ns)) is not None:
            number, intended_ns, waited_ns = taken
            if waited_ns > timeout_ns:
                self._ledger.drop(slot, number, intended_ns)
            else:
                self.execute(target_slot, slot, number, intended_ns=intended_ns)

    def _take(self, go_ns: int) -> tuple[int, int, int] | None:
        """Take the next number and wait until it is due.

        Returns:
            Number, intended start, and how long it has waited, ns; None when there is no more to
            start.
        """
        share, clock_ns = self._share, self._clock_ns
        self._turns.get()
        try:
            number = next(self._numbers)
            if number >= share.scheduled:
                return None
            intended_ns = go_ns + share.intended_ns[number]
            while (wait_ns := intended_ns - clock_ns()) > 0 and not self._is_cut(go_ns):
                self._sleep(min(wait_ns / 1e9, LONGEST_WAIT_S))
            return None if self._is_cut(go_ns) else (number, intended_ns, -wait_ns)
        finally:
            self._turns.put(None)

    def _is_cut(self, go_ns: int) -> bool:
        return self._share.is_cut_at(self._slots.words[STOP_NS] - go_ns) and self._stopped()
