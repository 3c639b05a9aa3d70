"""Which processes have locked an SQLite database for writes, as the kernel tells."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

_POSIX, _WRITE = "POSIX", "WRITE"
_KIND, _MODE, _PID, _FILE = 1, 3, 4, 5
_SUFFIXES = ("", "-shm")
"""A write locks bytes of the database, or with a write-ahead log those of its index."""


def write_lockers(database: Path, proc: Path = Path("/proc")) -> set[int]:
    """Return the processes that have the lock for writes.

    Args:
        database: The file.
        proc: Where the kernel tells.

    Source:
        proc(5), /proc/locks; SQLite, "File Locking And Concurrency" and "WAL-mode File Format".
    """
    inodes = set()
    for suffix in _SUFFIXES:
        with suppress(FileNotFoundError):
            inodes.add(database.with_name(database.name + suffix).stat().st_ino)
    found = set()
    for line in (proc / "locks").read_text(encoding="ascii").splitlines():
        words = line.split()
        if (words[_KIND], words[_MODE]) != (_POSIX, _WRITE):
            continue  # also those that wait, which have an arrow for their kind
        if int(words[_FILE].rpartition(":")[2]) in inodes:
            found.add(int(words[_PID]))
    return found
