"""Block devices: their names, what was written to each, and for how long each was busy."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_WRITTEN_SECTORS, _BUSY_MS = 6, 9
"""Columns of what was written and of the time in which the device had requests (io_ticks)."""

_SECTOR_BYTES = 512
_SYS = Path("/sys")


@dataclass(frozen=True)
class Device:
    """A disk, a part of one, or what lies over several.

    Attributes:
        name: As the kernel calls it.
        folder: Its own, in sysfs.
    """

    name: str
    folder: Path

    def use(self) -> tuple[int, float]:
        """Return what was written to it since boot, bytes, and for how long it was busy, s.

        Raises:
            OSError: It is gone.

        Source:
            Linux, Documentation/block/stat.rst.
        """
        columns = (self.folder / "stat").read_text(encoding="ascii").split()
        return int(columns[_WRITTEN_SECTORS]) * _SECTOR_BYTES, int(columns[_BUSY_MS]) / 1e3


def device_with(number: int, sys: Path = _SYS) -> Device | None:
    """Return the device with a number; None if the kernel has no such device.

    File systems in memory, and those that lie over others, have a number without a device.
    """
    folder = sys / "dev/block" / f"{os.major(number)}:{os.minor(number)}"
    return Device(folder.resolve().name, folder) if folder.exists() else None


def every_device(sys: Path = _SYS) -> list[Device]:
    """Return all devices of this machine that count what is written to them."""
    found = []
    with suppress(FileNotFoundError):  # the kernel shows none
        for folder in sorted((sys / "class/block").iterdir()):
            device = Device(folder.name, folder)
            with suppress(OSError, IndexError):
                device.use()
                found.append(device)
    return found
