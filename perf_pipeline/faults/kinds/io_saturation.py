"""The device of a server's data is written to without pause."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import not_on, number, server_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.stress import write
from perf_pipeline.faults.stress.programs import Programs
from perf_pipeline.faults.stress.rates import Rates, Totals, totals
from perf_pipeline.faults.stress.written_device import written_device

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State
    from perf_pipeline.faults.stress.device import Device

_KIND = "io_saturation"
_MIN_BUSY = 0.8
"""Share of the time in which the device must have something to do."""

_MIN_REACHED = 0.5
"""Of what the programs write: it is seen on the device. File systems may compress it."""

_FLOOR_BYTES = 2 << 30
"""Of free space that stays."""


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure in a place.

    Raises:
        FaultRefusedError: The service keeps no data on a disk.
    """
    service = server_of(place).service
    if service == "redis":
        raise not_on(_KIND, service)
    writers = int(number(_KIND, settings, "writers"))
    return IoSaturation(place, writers, 1e6 * number(_KIND, settings, "file_mb"))


class IoSaturation:
    """Programs write and wait for the disk, each in a file without a name; see ``Fault``.

    Files and programs end with this process. Where the kernel does not name the device, it is
    found by writing (``stress/written_device.py``); at each sign its count must have grown by what
    is written.
    """

    def __init__(self, place: Place, writers: int, file_bytes: float) -> None:
        """Prepare; nothing is started.

        Args:
            place: Where.
            writers: How many programs write.
            file_bytes: What each writes over and over.
        """
        self._place, self._data = place, server_of(place).data_folder
        self._writers, self._file_bytes = writers, file_bytes
        self._programs = Programs(place.folder)
        self._rates = Rates(self._look, place.sleep)
        self._folder: Path | None = None
        self._device: Device | None = None

    def preflight(self) -> None:
        """Find a folder of ours beside the data, and its device; have writers ready."""
        if self._data is None or not self._data.exists():
            raise FaultRefusedError("the server's data are not on this machine")
        here = self._data.stat().st_dev
        places = (self._place.folder, self._data.parent, self._data.parent.parent)
        self._folder = next((one for one in places if _is_usable(one, here)), None)
        if self._folder is None:
            raise FaultRefusedError(f"no folder of ours is on the file system of {self._data}")
        free = shutil.disk_usage(self._folder).free
        needed = self._writers * self._file_bytes + _FLOOR_BYTES
        if free < needed:
            raise FaultRefusedError(
                f"{self._folder} has {free / 1e6:.0f} MB of space and {needed / 1e6:.0f} MB are "
                "needed: the files, and what stays free"
            )
        self._device = written_device(self._folder)
        for _ in range(self._writers):
            self._programs.prepare(write, self._folder, self._file_bytes, 0)
        self._programs.wait_until_ready()

    def state(self) -> State:
        """Return how many programs of ours are at work."""
        return {"programs of the fault": str(self._programs.at_work())}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: programs and files end with this process."""
        return {}

    def inject(self) -> None:
        """Have the writers begin."""
        self._programs.begin()
        # What is seen first is not averaged with the moment in which the programs woke up.
        wait_until_it_acts(self, self._place, self._rates.forget)

    def sign(self) -> Sign:
        """Ask the kernel what the programs wrote, and for how long the device was busy."""
        assert self._device is not None
        used = self._rates.over_last_second()
        text = (
            f"{self._device.name} is busy for {100 * used.busy_s:.0f} % of the time and written "
            f"{used.device_bytes / 1e6:.1f} MB/s; this failure writes "
            f"{used.written_bytes / 1e6:.1f} MB/s"
        )
        is_reached = used.device_bytes >= _MIN_REACHED * used.written_bytes > 0
        in_effect = is_reached and used.busy_s >= _MIN_BUSY
        return Sign(in_effect=in_effect, value=100 * used.busy_s, text=text)

    def undo(self) -> None:
        """End the writers."""
        self._programs.end()

    def _look(self) -> Totals:
        assert self._device is not None
        counted = totals(self._programs.own(), self._place.clock_ns() / 1e9)
        device_bytes, busy_s = self._device.use()
        return replace(counted, device_bytes=device_bytes, busy_s=busy_s)


def _is_usable(folder: Path, device: int) -> bool:
    return folder.is_dir() and folder.stat().st_dev == device and os.access(folder, os.W_OK)
