"""What failures must leave of the host: memory and disk below which all of them end at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from perf_pipeline.config.cgroup import memory_allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_GIB = 2**30
MEMORY_FLOOR_BYTES = _GIB
MEMORY_FLOOR_SHARE = 0.15
DISK_FLOOR_BYTES = 2 * _GIB


class HostFloor:
    """Watches what the host has left.

    Attributes:
        memory_bytes: Memory that must stay available: ``MEMORY_FLOOR_BYTES``, or
            ``MEMORY_FLOOR_SHARE`` of what there is if that is more.
    """

    def __init__(
        self,
        folders: Iterable[Path],
        *,
        memory: Callable[[], tuple[int, int]] | None = None,
        disk_free_bytes: Callable[[Path], int] | None = None,
    ) -> None:
        """Watch this host.

        Args:
            folders: On the disks that must not fill up.
            memory: Returns the memory that is available and that there is, bytes.
            disk_free_bytes: Returns what may still be written where a folder is, bytes.
        """
        self._folders = tuple(folders)
        self._memory = memory or available_memory
        self._disk_free_bytes = disk_free_bytes or _disk_free_bytes
        _, total_bytes = self._memory()
        self.memory_bytes = memory_floor_bytes(total_bytes)

    def breach(self) -> str:
        """Return a sentence about the floor that was reached; empty while none is."""
        available_bytes, _ = self._memory()
        if available_bytes < self.memory_bytes:
            return (
                f"{available_bytes / 1e6:.0f} MB of memory were available (floor "
                f"{self.memory_bytes / 1e6:.0f} MB)"
            )
        for folder in self._folders:
            try:
                free_bytes = self._disk_free_bytes(folder)
            except FileNotFoundError:
                continue  # a server's folder is gone with its run
            if free_bytes < DISK_FLOOR_BYTES:
                return (
                    f"{free_bytes / 1e6:.0f} MB were free on the disk of {folder} (floor "
                    f"{DISK_FLOOR_BYTES / 1e6:.0f} MB)"
                )
        return ""


def memory_floor_bytes(total_bytes: int) -> int:
    """Return the memory that no failure may take, of so much, bytes."""
    return max(MEMORY_FLOOR_BYTES, int(MEMORY_FLOOR_SHARE * total_bytes))


def available_memory() -> tuple[int, int]:
    """Return the memory that is available, and that there is: of the machine or the tighter group.

    Both in bytes.
    """
    machine = psutil.virtual_memory()
    group = memory_allowance(Path("/proc"), Path("/sys/fs/cgroup"))
    if group is None:
        return machine.available, machine.total
    return min(machine.available, group.free), min(machine.total, group.limit)


def _disk_free_bytes(folder: Path) -> int:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
