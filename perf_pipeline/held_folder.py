"""Temporary folders of ours: who holds one, and whether its caller may clear it away.

They lie where every user may put something, so a folder's name says nothing: whatever is cleared
must belong to the caller, is reached without following links, and must be held by nobody. A holder
keeps a lock of the kernel on a file in the folder; it ends with the process, however that ends, and
is seen by every user and from every container of the host.

Standard library only: guardians import this.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from perf_pipeline.lifeline import ProcessStamp, own_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BEING_MADE_S = 60.0
"""A folder that does not name its holder may still be under construction for that long."""

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_LONGEST = 1 << 20


def hold(folder: Path, file: str, about: Mapping[str, object]) -> int:
    """Write into a folder who holds it, and hold it.

    Args:
        folder: Just made by this process.
        file: Name of the file in it.
        about: What the file says besides.

    Returns:
        The descriptor whose end is the end of the hold; no child process inherits it.
    """
    descriptor = os.open(folder / file, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    found = folder.lstat()
    facts = {**about, "locked": True, "folder": [found.st_dev, found.st_ino]}
    os.write(descriptor, json.dumps(facts).encode())
    return descriptor


def may_be_cleared(folder: Path, file: str, holder: str, *, run_as: int | None = None) -> bool:
    """Return whether a folder is the caller's to clear away: its own, and held by nobody.

    Args:
        folder: The folder; what has its name may be anything, made by anybody.
        file: Name of the file that says who holds it.
        holder: Key of the holder's stamp in the file.
        run_as: Who may own the folder as well, if the file in it is the caller's and names it: a
            server of root's runs as this user.
    """
    with _opened_folder(folder) as (descriptor, found):
        if descriptor is None or found is None:
            return False
        is_own = found.st_uid == os.geteuid()
        if not is_own and found.st_uid != run_as:
            return False
        return _is_abandoned(descriptor, found, file, holder, is_own=is_own)


def read_own(path: Path) -> str | None:
    """Read a file of the caller's; None for one that is missing, a link, or another user's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK)
    except OSError:
        return None
    try:
        return _read(descriptor)
    finally:
        os.close(descriptor)


def _is_abandoned(
    descriptor: int, found: os.stat_result, file: str, holder: str, *, is_own: bool
) -> bool:
    try:
        held_by = os.open(file, os.O_RDONLY | _NO_LINK, dir_fd=descriptor)
    except OSError:
        return is_own and time.time() - found.st_mtime > BEING_MADE_S
    try:
        text = _read(held_by)
        if text is None or _is_locked(held_by):
            return False
    finally:
        os.close(held_by)
    facts = _facts(text)
    stamp = _stamp(facts.get(holder))
    if stamp is None:
        return is_own and time.time() - found.st_mtime > BEING_MADE_S
    if not is_own and facts.get("folder") != [found.st_dev, found.st_ino]:
        return False  # the file was moved here from a folder of the caller's
    if facts.get("locked") is True and stamp.boot_id == own_stamp().boot_id:
        return True  # by the same kernel, which would know of a lock
    return stamp.is_gone()


@contextmanager
def _opened_folder(folder: Path) -> Iterator[tuple[int | None, os.stat_result | None]]:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
    except OSError:
        yield None, None  # a link, a file, another user's, or gone
        return
    try:
        yield descriptor, os.fstat(descriptor)
    finally:
        os.close(descriptor)


def _read(descriptor: int) -> str | None:
    """Return the text of an open file of the caller's; None for anything else."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        return None
    return os.read(descriptor, _LONGEST).decode(errors="replace")


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False  # closing the descriptor gives the lock back


def _facts(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except ValueError:
        return {}
    return facts if isinstance(facts, dict) else {}


def _stamp(value: object) -> ProcessStamp | None:
    try:
        return ProcessStamp.from_json(value)
    except ValueError:
        return None
