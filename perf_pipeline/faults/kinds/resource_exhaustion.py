"""Other programs use the machine's cores, and may write to its disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import number
from perf_pipeline.faults.fault import Sign
from perf_pipeline.faults.stress import burn, write
from perf_pipeline.faults.stress.programs import Programs
from perf_pipeline.faults.stress.rates import Rates, Totals, totals

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State

_KIND = "resource_exhaustion"
_FILE_BYTES = 64e6
_MIN_COMPETING = 0.8
"""Of the cores that are asked for: the programs ran on one, or were ready for one. The kernel
counts a wait when it ends, and on a busy machine one takes a tenth of a second."""

_MIN_WRITTEN = 0.5
"""Of the rate that is asked for, over a second: a disk takes writes in gulps."""


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure in a place."""
    cores = number(_KIND, settings, "cores") or float(read_machine_limits().cores_usable)
    return ResourceExhaustion(place, cores, 1e6 * number(_KIND, settings, "write_mb_per_s"))


class ResourceExhaustion:
    """Programs compete for cores with everything else; see ``Fault``. They die with this process.

    They take cores from the load generator as well, and the schedule lag of open loops shows that.
    """

    def __init__(self, place: Place, cores: float, write_bytes_per_s: float) -> None:
        """Prepare; nothing is started.

        Args:
            place: Where.
            cores: How many are used.
            write_bytes_per_s: What is written, to the failure's folder; 0 for nothing.
        """
        self._place = place
        self._cores, self._write_bytes_per_s = cores, write_bytes_per_s
        self._programs = Programs(place.folder)
        self._rates = Rates(self._look, place.sleep)

    def preflight(self) -> None:
        """Have the programs ready: one for each core, and for the rest of one."""
        whole, rest = divmod(self._cores, 1.0)
        for share in [1.0] * int(whole) + [rest] * (rest > 0):
            self._programs.prepare(burn, share)
        if self._write_bytes_per_s:
            self._programs.prepare(write, self._place.folder, _FILE_BYTES, self._write_bytes_per_s)
        self._programs.wait_until_ready()

    def state(self) -> State:
        """Return how many programs of ours are at work."""
        return {"programs of the fault": str(self._programs.at_work())}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: the programs end with this process."""
        return {}

    def inject(self) -> None:
        """Have the programs begin."""
        self._programs.begin()
        # What is seen first is not averaged with the moment in which the programs woke up.
        wait_until_it_acts(self, self._place, self._rates.forget)

    def sign(self) -> Sign:
        """Ask the kernel what the programs got, and how long they waited for a core."""
        used = self._rates.over_last_second()
        competing = used.cpu_s + used.wait_s >= _MIN_COMPETING * self._cores
        writing = used.written_bytes >= _MIN_WRITTEN * self._write_bytes_per_s
        text = f"other programs use {used.cpu_s:.2f} cores and wait for {used.wait_s:.2f}"
        if self._write_bytes_per_s:
            text += f"; they write {used.written_bytes / 1e6:.1f} MB/s"
        return Sign(in_effect=competing and writing, value=used.cpu_s, text=text)

    def undo(self) -> None:
        """End the programs."""
        self._programs.end()

    def _look(self) -> Totals:
        return totals(self._programs.own(), self._place.clock_ns() / 1e9)
