"""A round of the calibration before each level and after the last, stored in the levels' folders.

A round between two levels counts as "after" the one and "before" the other: it is taken when the
servers have settled and the run is idle.

A momentary disturbance would count against two levels. A round that takes longer than the quickest
of the run is therefore repeated, and the quickest attempt is stored: a lasting disturbance shows
in all of them. On the development machine one round in forty ran at 0.6 of the speed of those
0.7 s before and after it, while no counter of the kernel showed another program.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from perf_pipeline.host.calibration import calibrate
from perf_pipeline.host.pressure import read_stalled, stalled_percent
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.samples.host_record import Calibration

ATTEMPTS_MAX = 4
PAUSE_S = 0.03
"""Between two attempts; none before the second of a run, which warms the core up."""

AGAIN_ABOVE = 1.1
"""Times the quickest round of the run; rounds of a quiet machine differ by 4 %."""

FILE = "canary.json"
"""In a level's folder: ``before`` and ``after`` (a ``Calibration`` each, or None) and the level's
``stalled_percent`` (None until it ends)."""


class LevelCalibration:
    """The rounds of one run.

    Attributes:
        rounds: All that were stored, oldest first.
    """

    def __init__(
        self,
        disk: Path,
        *,
        take: Callable[[Path], Calibration] = calibrate,
        stalled: Callable[[], dict[str, float | None]] = read_stalled,
        now_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; no round is taken yet.

        Args:
            disk: A folder on the disk that the servers' data are on.
            take: Takes a round.
            stalled: Reads how long some thread has waited since boot, seconds.
            now_s: CLOCK_MONOTONIC.
            sleep: Sleeps between two attempts.
        """
        self.rounds: list[Calibration] = []
        self._disk = disk
        self._take = take
        self._stalled = stalled
        self._now_s = now_s
        self._sleep = sleep
        self._file: Path | None = None
        self._stored: dict[str, Any] = {}
        self._began: tuple[float, dict[str, float | None]] = (0.0, {})

    def before(self, level: Path) -> None:
        """Take the round before a level, which is the one after the level before it.

        Args:
            level: The level's folder.
        """
        self.after_last()
        self._file = level / FILE
        self._stored = {"before": asdict(self.rounds[-1]), "after": None, "stalled_percent": None}
        write_json(self._file, self._stored)
        self._began = (self._now_s(), self._stalled())

    def ended(self) -> None:
        """Store how long threads waited during the level that has just ended."""
        began_s, waited_s = self._began
        elapsed_s = self._now_s() - began_s
        self._stored["stalled_percent"] = stalled_percent(waited_s, self._stalled(), elapsed_s)
        self._write()

    def after_last(self) -> None:
        """Take a round; it is the one after the level before it, if there is one."""
        self.rounds.append(self._quickest())
        self._stored["after"] = asdict(self.rounds[-1])
        self._write()

    def _quickest(self) -> Calibration:
        """Return the quickest of several attempts, until one is about as quick as before."""
        if not self.rounds:
            return min((self._take(self._disk) for _ in range(2)), key=_took_s)
        enough_s = AGAIN_ABOVE * min(map(_took_s, self.rounds))
        attempts = [self._take(self._disk)]
        while len(attempts) < ATTEMPTS_MAX and min(map(_took_s, attempts)) > enough_s:
            self._sleep(PAUSE_S)
            attempts.append(self._take(self._disk))
        return min(attempts, key=_took_s)

    def _write(self) -> None:
        if self._file is not None:
            write_json(self._file, self._stored)


def _took_s(calibration: Calibration) -> float:
    return calibration.took_s
