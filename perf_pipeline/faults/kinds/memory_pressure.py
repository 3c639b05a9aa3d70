"""Memory is taken until little is available to other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import number
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.host_floor import available_memory, memory_floor_bytes
from perf_pipeline.faults.stress import ballast
from perf_pipeline.faults.stress.programs import Programs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State

_MB = 1e6
_MARGIN = 1.1
"""Of what stays available, over the floor of the host: below that the run would end."""

_NEAR_BYTES = 128e6
"""What is available changes by so much with what other programs do between two looks."""

_PREPARED_NS, _POLL_S = 2_000_000_000, 0.02
"""What takes longer goes on until the window begins."""

_LEAST_TAKEN_BYTES = 4 * ballast.CHUNK_BYTES
"""More than a program needs to wait."""


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure in a place."""
    return MemoryPressure(place, number("memory_pressure", settings, "free_mb") * _MB)


class MemoryPressure:
    """A program holds memory, and is the first that the kernel kills; see ``Fault``.

    The limit of a process (``RLIMIT_AS``) would be another failure: at 512 MB only 21 threads
    start. All but the last 256 MiB are taken before the window, as more would take some of it. A
    wish near or below the machine's floor is raised above it, and each sign says so.
    """

    def __init__(self, place: Place, free_bytes: float) -> None:
        """Prepare; nothing is taken.

        Args:
            place: Where.
            free_bytes: What is to stay available.
        """
        self._place = place
        self._programs = Programs(place.folder)
        self._asked_bytes = free_bytes
        self._target_bytes = max(free_bytes, _MARGIN * memory_floor_bytes(available_memory()[1]))

    def preflight(self) -> None:
        """See whether there is memory to take, and have the program ready."""
        available, total = available_memory()
        if available <= self._target_bytes + _NEAR_BYTES:
            raise FaultRefusedError(
                f"{available / _MB:.0f} MB of memory are available, and "
                f"{self._target_bytes / _MB:.0f} MB are to stay so (the floor of this machine is "
                f"{memory_floor_bytes(total) / _MB:.0f} MB): there is nothing to take"
            )
        self._programs.prepare(ballast, int(self._target_bytes))
        self._programs.wait_until_ready()
        deadline_ns = self._place.clock_ns() + _PREPARED_NS
        while self._is_far() and self._place.clock_ns() < deadline_ns:
            self._place.sleep(_POLL_S)

    def state(self) -> State:
        """Return how many programs of ours are at work."""
        return {"programs of the fault": str(self._programs.at_work())}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: the program ends with this process."""
        return {}

    def inject(self) -> None:
        """Have the program take memory: some gigabytes a second."""
        self._programs.begin()
        wait_until_it_acts(self, self._place)

    def sign(self) -> Sign:
        """Ask the kernel what is available, and what the program has."""
        available, taken = (
            available_memory()[0],
            sum(map(_resident_bytes, self._programs.own())),
        )
        text = (
            f"{available / _MB:.0f} MB are available, to be {self._target_bytes / _MB:.0f}"
            f"{self._raised}; {taken / _MB:.0f} MB are taken"
        )
        near = available <= self._target_bytes + _NEAR_BYTES
        in_effect = near and taken > _LEAST_TAKEN_BYTES
        return Sign(in_effect=in_effect, value=available / _MB, text=text)

    def undo(self) -> None:
        """End the program."""
        self._programs.end()

    def _is_far(self) -> bool:
        """Return whether there is more than a moment's memory to take."""
        ready_bytes = self._target_bytes + ballast.READY_BYTES + ballast.CHUNK_BYTES
        return available_memory()[0] > ready_bytes

    @property
    def _raised(self) -> str:
        if self._target_bytes == self._asked_bytes:
            return ""
        return f" ({self._asked_bytes / _MB:.0f} were asked for, which is below the floor here)"


def _resident_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
