"""Folders that a process holds for its life: temporary ones of ours, and that of a run.

A holder keeps a lock of the kernel on a file in the folder; it ends with the process, however that
ends, and is seen by every user and from every container of the host. A lock that is free proves
that its holder has ended only where the kernel and the folder are those in which it was taken;
elsewhere, and on a file system that keeps no locks, the holder's stamp is asked.

Temporary folders lie where every user may put something, so a folder's name says nothing: whatever
is cleared must belong to the caller, is reached without following links, and must be held by
nobody.

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

from perf_pipeline.lifeline import Liveness, ProcessStamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BEING_MADE_S = 60.0
"""A folder that does not name its holder may still be under construction for that long."""

_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_LONGEST = 1 << 20


def hold(folder: Path, file: str, about: Mapping[str, object], mode: int = 0o600) -> int:
    """Write into a folder who holds it, and hold it.

    Args:
        folder: Just made by this process.
        file: Name of the file in it; it must not exist.
        about: What the file says besides.
        mode: Of the file, once it is locked: until then nobody else may take the lock.

    Returns:
        The descriptor whose end is the end of the hold; no program that is started inherits it.
    """
    path = folder / file
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600)
    try:
        found = folder.lstat()
        is_locked = _lock(descriptor, path)
        facts = {**about, "locked": is_locked, "folder": [found.st_dev, found.st_ino]}
        os.write(descriptor, json.dumps(facts).encode())
        os.fchmod(descriptor, mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def holder_liveness(folder: Path, file: str, key: str, holder: ProcessStamp) -> Liveness:
    """Return whether the process that held a folder lives, as far as can be told from here.

    Args:
        folder: The folder, of any user.
        file: Name of the file that it locked; where there is none, its stamp alone is asked.
        key: Of its stamp in the file.
        holder: The process; a lock of another one tells nothing of it.
    """
    try:
        descriptor = os.open(folder / file, os.O_RDONLY | _NO_LINK)
    except OSError:
        return holder.liveness()
    try:
        found = os.fstat(descriptor)
        facts = _facts(_text(descriptor)) if stat.S_ISREG(found.st_mode) else {}
        if _stamp(facts.get(key)) != holder:
            return holder.liveness()
        return _liveness(descriptor, facts, folder.lstat(), holder)
    finally:
        os.close(descriptor)


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
        facts = _facts(text)
        stamp = _stamp(facts.get(holder))
        if stamp is None:
            return is_own and time.time() - found.st_mtime > BEING_MADE_S
        if not is_own and not _is_of_folder(facts, found):
            return False  # the file was moved here from a folder of the caller's
        return _liveness(held_by, facts, found, stamp) is Liveness.GONE
    finally:
        os.close(held_by)


def _liveness(
    descriptor: int, facts: dict[str, Any], found: os.stat_result, holder: ProcessStamp
) -> Liveness:
    """Return whether the holder of a folder lives: by the lock, or else by its stamp.

    Args:
        descriptor: Of the file that it locked, if its file system keeps locks.
        facts: What the file says.
        found: The folder.
        holder: The process.
    """
    is_locked = _is_locked(descriptor)
    if is_locked:
        return Liveness.ALIVE
    would_know = facts.get("locked") is True and holder.is_of_this_boot()
    if is_locked is False and would_know and _is_of_folder(facts, found):
        return Liveness.GONE
    return holder.liveness()


def _is_of_folder(facts: dict[str, Any], found: os.stat_result) -> bool:
    """Return whether a file was written in this folder, seen through this file system."""
    return facts.get("folder") == [found.st_dev, found.st_ino]


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
    return _text(descriptor)


def _text(descriptor: int) -> str:
    return os.read(descriptor, _LONGEST).decode(errors="replace")


def _lock(descriptor: int, path: Path) -> bool:
    """Lock a file; return whether its file system keeps the lock from another descriptor."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:
        return False
    other = os.open(path, os.O_RDONLY | _NO_LINK)
    try:
        return _is_locked(other) is True
    finally:
        os.close(other)


def _is_locked(descriptor: int) -> bool | None:
    """Return whether another one locked a file; None where its file system keeps no locks.

    Looking takes a shared lock for a moment, so that those who look do not see each other.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


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
