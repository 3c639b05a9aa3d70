"""Which process has a socket open."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SOCKET = "socket:["


def sockets_of(pids: Iterable[int], proc: Path = Path("/proc")) -> set[int]:
    """Return the inodes of the sockets that some processes have open; ended ones have none.

    Raises:
        PermissionError: A process is another user's.
    """
    found: set[int] = set()
    for pid in pids:
        try:
            folder = os.open(proc / str(pid) / "fd", os.O_RDONLY | os.O_DIRECTORY)
        except (FileNotFoundError, ProcessLookupError):
            continue
        try:
            for name in os.listdir(folder):  # noqa: PTH208 - of an open folder
                try:
                    target = os.readlink(name, dir_fd=folder)
                except (FileNotFoundError, ProcessLookupError):
                    continue  # closed meanwhile
                if target.startswith(_SOCKET):
                    found.add(int(target[len(_SOCKET) : -1]))
        finally:
            os.close(folder)
    return found
