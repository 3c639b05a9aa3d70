"""Open loop: every workflow starts at its intended time, or as soon as a slot is free after it.

The threads pull: each takes the next workflow of the worker's schedule, sleeps until it is due,
stamps its start and executes it. There is no dispatcher and no queue whose delay would have to be
separated from the target's. When no thread is free, the schedule waits, and the next free thread
takes the workflow that has waited longest. A start that is late, because no slot was free or
because the target held the interpreter lock, is late in the record as well.
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
"""Threads that sleep until a workflow is due; the others block until they may. So this many
workflows that are due at the same moment each have a timer; 512 sleeping threads took 7 % of a
core (measured in a trial)."""

LONG_NS, EARLY_NS = 20_000_000, 200_000
"""A core that has been idle wakes late. So a sleep longer than the first value ends earlier by the
second, and a short one follows."""

IDLE_NS, AWAKE_NS, STEP_S = 500_000_000, 3_000_000, 0.0003
"""At one start a second what the core then executes is in no cache either. So a wait longer than
the first value ends earlier by the second, and steps of the third follow: starts were 0.08 and
0.18 ms late where a sleeping thread woke 0.18 and 0.34 ms late (selftest ``jitter``)."""


class OpenLoop(ClosedLoop):
    """Plays one worker's share of an open-loop plan; the slots are those of a closed loop."""

    def schedule(self, share: ArrivalShare) -> None:
        """Set the schedule; called before ``start``."""
        self._share = share
        self._turns: SimpleQueue[None] = SimpleQueue()
        for _ in range(TURNS):
            self._turns.put(None)

    def alive(self) -> int:
        """Return how many slots have not ended; one that has no more to play waits for the stop."""
        waiting = self._slots.slots - len(self.problems) if not self._stopped() else 0
        return max(super().alive(), waiting)

    def _play_slot(self, target_slot: Slot, slot: int) -> None:
        """Take the next workflow, wait until it is due, execute it; until none is left to start."""
        self._wait_for_go()
        clock_ns, turns, numbers = self._clock_ns, self._turns, self._numbers
        share, go_ns = self._share, self._slots.words[GO_NS]
        intended, scheduled = share.intended_ns, share.scheduled
        while True:
            turns.get()
            try:
                number = next(numbers)
                if number >= scheduled:
                    return
                intended_ns = go_ns + intended[number]
                waited_ns = clock_ns() - intended_ns
                if waited_ns < 0:
                    waited_ns = self._wait_until(intended_ns, go_ns)
                if self._is_cut(go_ns):
                    return
            finally:
                turns.put(None)
            if waited_ns > share.start_timeout_ns:
                self._ledger.drop(slot, number, intended_ns)
            else:
                self.execute(target_slot, slot, number, 0, intended_ns)

    def _wait_until(self, due_ns: int, go_ns: int) -> int:
        """Sleep until ``due_ns``; returns how late it is then, ns; early only if cut short."""
        is_idle = due_ns - self._clock_ns() > IDLE_NS
        early_ns, step_s = (AWAKE_NS, STEP_S) if is_idle else (EARLY_NS, LONGEST_WAIT_S)
        while (wait_ns := due_ns - self._clock_ns()) > 0 and not self._is_cut(go_ns):
            if wait_ns > LONG_NS:
                self._sleep(min((wait_ns - early_ns) / 1e9, LONGEST_WAIT_S))
            else:
                self._sleep(min(wait_ns / 1e9, step_s))
        return -wait_ns

    def _is_cut(self, go_ns: int) -> bool:
        return self._share.is_cut_at(self._slots.words[STOP_NS] - go_ns) and self._stopped()
