"""Memory is taken until little is available to other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import number
from perf_pipeline.faults.fault import FaultRefusedError, NotPossibleHereError, Sign
from perf_pipeline.faults.host_floor import available_memory, memory_floor_bytes
from perf_pipeline.faults.stress import ballast
from perf_pipeline.faults.stress.programs import Programs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State

_MB = 1e6
_MARGIN = 1.1
"""Of what stays available, over the floor of the host: below that the run would end."""

_NEAR_BYTES = 128e6
"""What is available changes by so much with what other programs do between two looks."""

_POLL_S = 0.02

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

    What other programs take meanwhile is given back to them. Pressure of theirs alone is none of
    this failure, as it neither begins nor ends with it: each sign says whose the memory is.
    """

    def __init__(
        self,
        place: Place,
        free_bytes: float,
        memory: Callable[[], tuple[int, int]] = available_memory,
    ) -> None:
        """Prepare; nothing is taken.

        Args:
            place: Where.
            free_bytes: What is to stay available.
            memory: Returns what is available, and what there is, bytes.
        """
        self._place, self._memory = place, memory
        self._programs = Programs(place.folder)
        self._asked_bytes = free_bytes
        self._target_bytes = max(free_bytes, _MARGIN * memory_floor_bytes(memory()[1]))

    def preflight(self) -> None:
        """See whether there is memory to take, and have the program ready."""
        available, total = self._memory()
        if total <= self._target_bytes + _NEAR_BYTES:
            raise NotPossibleHereError(
                f"{self._target_bytes / _MB:.0f} MB of memory are to stay available (the floor of "
                f"this machine is {memory_floor_bytes(total) / _MB:.0f} MB), and it has "
                f"{total / _MB:.0f} MB: there is nothing to take"
            )
        if available <= self._target_bytes + _NEAR_BYTES:
            raise FaultRefusedError(
                f"{available / _MB:.0f} MB of memory are available, and "
                f"{self._target_bytes / _MB:.0f} MB are to stay so (the floor of this machine is "
                f"{memory_floor_bytes(total) / _MB:.0f} MB): there is nothing to take"
            )
        self._programs.prepare(ballast, int(self._target_bytes))
        self._programs.wait_until_ready()
        place = self._place
        deadline_ns = place.clock_ns() + int(place.ready_within_s * 1e9)
        while self._is_far() and place.clock_ns() < deadline_ns and not place.has_ended():
            place.sleep(_POLL_S)

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
        available, taken = self._memory()[0], sum(map(_resident_bytes, self._programs.own()))
        text = (
            f"{available / _MB:.0f} MB are available, to be {self._target_bytes / _MB:.0f}"
            f"{self._raised}; {taken / _MB:.0f} MB are taken by this failure"
        )
        is_near = available <= self._target_bytes + _NEAR_BYTES
        is_ours = taken > _LEAST_TAKEN_BYTES
        if is_near and not is_ours:
            text += ": there is pressure, but other programs have taken the memory"
        return Sign(in_effect=is_near and is_ours, value=available / _MB, text=text)

    def undo(self) -> None:
        """End the program."""
        self._programs.end()

    def _is_far(self) -> bool:
        """Return whether there is more than a moment's memory to take."""
        ready_bytes = self._target_bytes + ballast.READY_BYTES + ballast.CHUNK_BYTES
        return self._memory()[0] > ready_bytes

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
