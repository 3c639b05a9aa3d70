"""Two loads on one machine, of which one is stopped while the other runs, in short turns.

Other programs on the machine affect both alike, and the cost of starting is paid once. In a turn
of the bare loop the supervisor process sleeps: its work belongs to our side.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.host.process_cpu import process_cpu_s

if TYPE_CHECKING:
    from collections.abc import Callable


class EnoughError(Exception):
    """Every turn has run, so the level should end."""


@dataclass(frozen=True)
class Turn:
    """One turn of one side.

    Attributes:
        length_s: How long its processes ran.
        cpu_s: CPU time of its processes in that time, for the level also that of its supervisor.
        nodes: Nodes that they executed in that time.
        nodes_before: Nodes that they had executed when it began, since their start.
    """

    length_s: float
    cpu_s: float
    nodes: int
    nodes_before: int


class _Side:
    def __init__(
        self, pids: list[int], count: Callable[[], int], other_cpu_s: Callable[[], float]
    ) -> None:
        self.pids = pids
        self._count = count
        self._other_cpu_s = other_cpu_s
        self.turns: list[Turn] = []
        self._before = (0, 0.0, 0)

    def start(self, now_ns: int) -> None:
        self._before = (now_ns, *self._counters())
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)

    def stop(self, now_ns: int) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        start_ns, cpu_s, nodes = self._before
        cpu_now_s, nodes_now = self._counters()
        length_s = (now_ns - start_ns) / 1e9
        self.turns.append(Turn(length_s, cpu_now_s - cpu_s, nodes_now - nodes, nodes))

    def _counters(self) -> tuple[float, int]:
        return sum(map(process_cpu_s, self.pids), self._other_cpu_s()), self._count()


class TakingTurns:
    """Stops and continues the two sides; ``look`` is called while our side runs."""

    def __init__(
        self,
        bare_pids: list[int],
        begin_bare: Callable[[], None],
        *,
        count_ours: Callable[[], int],
        count_bare: Callable[[], int],
        supervisor_cpu_s: Callable[[], float],
        clock_ns: Callable[[], int],
        sleep: Callable[[float], None],
        turn_s: float,
        pairs: int,
    ) -> None:
        """Prepare.

        Args:
            bare_pids: Processes of the other side, which wait to begin.
            begin_bare: Lets the other side begin.
            count_ours: How many nodes the level has executed.
            count_bare: How many nodes the other side has executed.
            supervisor_cpu_s: CPU time of this process, which our side uses: it supervises and
                samples.
            clock_ns: CLOCK_MONOTONIC.
            sleep: Sleeps for some seconds.
            turn_s: Length of our turn, over at the first look after it; the other side's turn that
                follows is as long.
            pairs: Turns of each side, warm-up included.
        """
        self._bare = _Side(bare_pids, count_bare, lambda: 0.0)
        self._ours: _Side | None = None
        self._count_ours = count_ours
        self._supervisor_cpu_s = supervisor_cpu_s
        self._begin_bare = begin_bare
        self._clock_ns = clock_ns
        self._sleep = sleep
        self._turn_s = turn_s
        self._resumed_ns = 0
        self._pairs = pairs

    @property
    def ours(self) -> list[Turn]:
        """The turns of the level, warm-up included."""
        return [] if self._ours is None else self._ours.turns

    @property
    def bare(self) -> list[Turn]:
        """The turns of the other side."""
        return self._bare.turns

    def has_run_s(self, now_ns: int) -> float:
        """Return for how long our side has had its turn; before the first one since boot."""
        return (now_ns - self._resumed_ns) / 1e9

    def look(self, pids: list[int]) -> None:
        """Let the other side have its turn, if ours is over; returns when ours runs again.

        Args:
            pids: The level's processes, all at work.

        Raises:
            EnoughError: All turns were had; the level's processes run.
        """
        now_ns = self._clock_ns()
        if self._ours is None:
            self._ours = _Side(pids, self._count_ours, self._supervisor_cpu_s)
        elif self.has_run_s(now_ns) < self._turn_s:
            return
        else:
            self._ours.stop(now_ns)
            if not self.bare:
                self._begin_bare()
            self._bare.start(self._clock_ns())
            self._sleep(self.ours[-1].length_s)
            self._bare.stop(self._clock_ns())
        now_ns = self._clock_ns()
        self._ours.start(now_ns)
        self._resumed_ns = now_ns
        if len(self.bare) >= self._pairs:
            raise EnoughError
