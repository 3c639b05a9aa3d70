"""Two loads on one machine, of which one stands still while the other runs, in short turns.

What others do on the machine meets both alike, and what starting costs is paid once.
"""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable


class EnoughError(Exception):
    """Every turn was had: the level is to end."""


@dataclass(frozen=True)
class Turn:
    """One turn of one side.

    Attributes:
        start_ns: CLOCK_MONOTONIC, when it was let go.
        end_ns: When it was stopped.
        cpu_s: What its processes used meanwhile.
        ended: Workflows that ended meanwhile, where the side counts them itself; else 0.
    """

    start_ns: int
    end_ns: int
    cpu_s: float
    ended: int


@dataclass
class _Side:
    pids: list[int]
    count: Callable[[], int]
    turns: list[Turn]
    before: tuple[int, float, int] = (0, 0.0, 0)

    def let_go(self, now_ns: int) -> None:
        self.before = (now_ns, _cpu_s(self.pids), self.count())
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)

    def stop(self, now_ns: int) -> None:
        for pid in self.pids:
            os.kill(pid, signal.SIGSTOP)
        start_ns, cpu_s, ended = self.before
        self.turns.append(Turn(start_ns, now_ns, _cpu_s(self.pids) - cpu_s, self.count() - ended))


class TakingTurns:
    """Stops and lets go the two sides; ``look`` is called whenever a turn is over.

    Attributes:
        ours: The turns of the level, warm-up included.
        bare: Those of the other side.
    """

    def __init__(
        self,
        bare_pids: list[int],
        begin_bare: Callable[[], None],
        count_bare: Callable[[], int],
        *,
        clock_ns: Callable[[], int],
        pairs: int,
    ) -> None:
        """Prepare.

        Args:
            bare_pids: Processes of the other side, which wait to begin.
            begin_bare: Lets the other side begin.
            count_bare: How many workflows it has ended.
            clock_ns: CLOCK_MONOTONIC.
            pairs: Turns of each side, warm-up included.
        """
        self.ours: list[Turn] = []
        self.bare: list[Turn] = []
        self._bare = _Side(bare_pids, count_bare, self.bare)
        self._ours: _Side | None = None
        self._begin_bare = begin_bare
        self._clock_ns = clock_ns
        self._pairs = pairs

    @property
    def is_over(self) -> bool:
        """True when all turns were had."""
        return len(self.bare) >= self._pairs

    def look(self, pids: list[int]) -> None:
        """Let the other side have its turn.

        Args:
            pids: The level's processes, all at work.

        Raises:
            EnoughError: All turns were had; the level's processes run.
        """
        now_ns = self._clock_ns()
        if self._ours is None:
            self._ours = _Side(pids, lambda: 0, self.ours)
            self._ours.let_go(now_ns)
        elif len(self.ours) == len(self.bare):
            self._ours.stop(now_ns)
            if not self.bare:
                self._begin_bare()
            self._bare.let_go(self._clock_ns())
        else:
            self._bare.stop(now_ns)
            self._ours.let_go(self._clock_ns())
            if self.is_over:
                raise EnoughError


def _cpu_s(pids: list[int]) -> float:
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)
