"""The folder of a server that we started, and the processes that live in it.

A server changes into its folder, so its processes are found by where they are and never by name.
Standard library only: the guardian imports this.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import time
from pathlib import Path

_IPC_RMID = 0
_SEGMENT_LINE = 6
"""Line of postmaster.pid (from 0) with key and id of the System V segment."""

_LOCK_BYTES = 8192
POLL_S = 0.01
_POSTGRES_LOCK = Path("data/postmaster.pid")


def processes_in(folder: Path) -> list[int]:
    """Return the processes whose current folder is ``folder`` or lies below it."""
    inside = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            where = Path(os.readlink(entry / "cwd"))  # noqa: PTH115 - may name a removed folder
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended, is a zombie, or is another user's and so none of ours
        if where.is_relative_to(folder):
            inside.append(int(entry.name))
    return inside


def empty_of_processes(folder: Path, grace_s: float, kill_s: float = 10.0) -> list[int]:
    """Wait until no process lives in ``folder``, and kill those that stay.

    Args:
        folder: A folder of ours.
        grace_s: How long they may take to leave by themselves.
        kill_s: How long SIGKILL may take to act.

    Returns:
        Those still there at the end: normally none.
    """
    started = time.monotonic()
    inside = processes_in(folder)
    while inside and time.monotonic() < started + grace_s + kill_s:
        if time.monotonic() >= started + grace_s:
            for pid in inside:
                _kill(pid)
        time.sleep(POLL_S)
        inside = processes_in(folder)
    return inside


def let_go_on(folder: Path) -> None:
    """Let the processes in ``folder`` go on that were stopped: until then they heed no order."""
    for pid in processes_in(folder):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def discard_lock(lock_file: Path) -> None:
    """Remove a dead PostgreSQL's lock file and the System V segment that it names.

    A killed server removes neither: the file would stop the next start, and segments are few
    (kernel.shmmni) and live until the next boot.

    Args:
        lock_file: ``postmaster.pid``; no process may live in its folder. May be missing.
    """
    try:
        data = os.open(lock_file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        segment = _segment_in(lock_file.name, data)
        if segment is not None and _is_unused_segment(*segment):
            ctypes.CDLL(None).shmctl(segment[0], _IPC_RMID, None)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(lock_file.name, dir_fd=data)
    finally:
        os.close(data)


def _segment_in(name: str, data: int) -> tuple[int, int] | None:
    """Return the segment that a lock file in an open folder names, and who owns the file."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=data)
    except OSError:
        return None  # missing, or a link: none that PostgreSQL wrote
    try:
        lines = os.read(descriptor, _LOCK_BYTES).decode("ascii", errors="replace").splitlines()
        words = lines[_SEGMENT_LINE].split() if len(lines) > _SEGMENT_LINE else []
        return (int(words[-1]), os.fstat(descriptor).st_uid) if words else None
    except ValueError:
        return None
    finally:
        os.close(descriptor)


def _is_unused_segment(segment: int, owner: int) -> bool:
    """Return whether a segment belongs to a user and no process is attached to it.

    A living PostgreSQL is attached to its segment, so that of another server is never taken.
    """
    try:
        table = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    names = table[0].split()
    rows = (dict(zip(names, map(int, line.split()), strict=False)) for line in table[1:])
    return any(
        row["shmid"] == segment and row["uid"] == owner and row["nattch"] == 0 for row in rows
    )


def remove_folder(folder: Path) -> None:
    """Remove a server's folder in which no process lives any more, and its System V segment.

    Raises:
        OSError: Something in it cannot be removed.
    """
    discard_lock(folder / _POSTGRES_LOCK)
    shutil.rmtree(folder)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it left meanwhile
