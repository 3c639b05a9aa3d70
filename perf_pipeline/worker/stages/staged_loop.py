"""Closed loop with stages: a slot plays while its number is below the number that is allowed.

The supervisor writes the number into the slot file (``ALLOWED``) as the load rises and falls. A
slot that is no longer allowed ends its workflow first. One more thread looks at the number, and
releases the locks on which the other slots wait: waiting slots cost nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.slots import ALLOWED
from perf_pipeline.worker.closed_loop import THINK_STEP_S, ClosedLoop
from perf_pipeline.worker.own_time import new_lock, start_thread

if TYPE_CHECKING:
    from perf_pipeline.targets.target import Slot

LOOK_EVERY_S = 0.02
"""A slot begins at most so long after it is allowed to."""


class StagedLoop(ClosedLoop):
    """Plays one worker's share of the stages of a closed load."""

    def start(self) -> None:
        """Start every slot's thread, and the one that releases them."""
        self._gates = [new_lock() for _ in range(self._slots.slots)]
        for gate in self._gates:
            gate.acquire()
        super().start()
        start_thread(self._open_gates, ())

    def _open_gates(self) -> None:
        """Release the slots that are allowed, until the stop; then all of them."""
        while not self._stopped():
            self._open(self._slots.words[ALLOWED])
            self._sleep(LOOK_EVERY_S)
        self._open(len(self._gates))

    def _open(self, allowed: int) -> None:
        for gate in self._gates[:allowed]:
            if gate.locked():
                gate.release()

    def _play_slot(self, target_slot: Slot, slot: int) -> None:
        words, numbers, gate = self._slots.words, self._numbers, self._gates[slot]
        draws_s = self._think_s[slot] if self._think_s else None
        self._wait_for_go()
        while not self._stopped():
            if slot >= words[ALLOWED]:
                gate.acquire()
                continue
            self.execute(target_slot, slot, next(numbers))
            if draws_s is None:
                continue
            due_ns = self._clock_ns() + int(next(draws_s) * 1e9)
            while (wait_ns := due_ns - self._clock_ns()) > 0 and not self._stopped():
                self._sleep(min(wait_ns / 1e9, THINK_STEP_S))
