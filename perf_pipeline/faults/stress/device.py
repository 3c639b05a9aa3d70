"""The block device of a file system: its name, and for how long it was busy."""

from __future__ import annotations

import os
from pathlib import Path

_BUSY_MS = 9
"""Column of the time in which the device had requests (Documentation/block/stat.rst, io_ticks)."""


def device_name(number: int, sys: Path = Path("/sys")) -> str:
    """Return the name of the device with a number; empty if the kernel has no such device.

    File systems in memory, and those that lie over others, have a number without a device.
    """
    folder = _folder(number, sys)
    return folder.resolve().name if folder.exists() else ""


def busy_s(number: int, sys: Path = Path("/sys")) -> float:
    """Return for how long the device with a number has had something to do since boot, s.

    Raises:
        OSError: There is no such device.
    """
    return int((_folder(number, sys) / "stat").read_text(encoding="ascii").split()[_BUSY_MS]) / 1e3


def _folder(number: int, sys: Path) -> Path:
    return sys / "dev/block" / f"{os.major(number)}:{os.minor(number)}"
