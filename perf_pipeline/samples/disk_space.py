"""Space on the disk of a run: set apart before the load, given back when the disk is full.

Workers store their records and the supervisor its logs on a disk that others fill too, the target
among them. So that a full disk costs neither an acknowledged record nor the reason, a run sets
some space apart before it begins and gives it back when the disk is full, or when the load is over.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

RESERVED_BYTES = 8_000_000
"""For the last blocks of the journals, logs and status: a report needs about half of it."""

FLOOR_BYTES = 2_000_000
"""With less free space a load level does not begin, and one that runs ends."""

RUN_BYTES = RESERVED_BYTES + FLOOR_BYTES
"""With less free space a run does not begin."""

_RESERVE = ".reserved"
_FULL_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_PRIMARY = 0xFF
"""The part of SQLite's extended codes that names the kind of error."""
_FULL_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)


def is_disk_full(error: BaseException) -> bool:
    """Return whether an error means that a file could not grow: disk, quota or limit."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.Error) and isinstance(code, int):
        return code & _PRIMARY in _FULL_CODES
    return getattr(error, "errno", None) in _FULL_ERRNOS


def free_bytes(folder: Path) -> int:
    """Return how much this user may still write to the disk of a folder."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


def disk_full(
    folder: Path, error: BaseException | None = None, needed_bytes: int = FLOOR_BYTES
) -> str:
    """Return the sentence about a full disk: where, how much is left, and what to do.

    Args:
        folder: On that disk.
        error: What it led to; None for nothing yet.
        needed_bytes: For a load level, or ``RUN_BYTES`` where a run could not begin.
    """
    who = "a load level needs" if needed_bytes == FLOOR_BYTES else "a run needs at least"
    what = f" ({getattr(error, 'strerror', None) or error})" if error is not None else ""
    return (
        f"disk full{what}: {free_bytes(folder) / 1e6:.1f} MB are free where {folder} is, and "
        f"{who} {needed_bytes / 1e6:.0f} MB. What was acknowledged is kept. Free some "
        "space there, or name another folder with --results"
    )


def reserve(folder: Path) -> None:
    """Set space apart on the disk of a run.

    Raises:
        OSError: There is not as much (``is_disk_full``).
    """
    descriptor = os.open(folder / _RESERVE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, RESERVED_BYTES)
    except OSError:
        give_back(folder)
        raise
    finally:
        os.close(descriptor)


def give_back(folder: Path) -> None:
    """Free the space that was set apart; a second call does nothing."""
    with contextlib.suppress(OSError):
        (folder / _RESERVE).unlink()
