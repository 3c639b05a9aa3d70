"""The folder of a server that we started, and the processes that live in it.

A server changes into its folder, so its processes are found by where they are and never by name.
Standard library only: the guardian imports this.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import signal
import time
from pathlib import Path

from perf_pipeline.lifeline import ProcessStamp
from perf_pipeline.servers.lifecycle.launch_spec import GUARDIAN_FILE

_IPC_RMID = 0
_SEGMENT_LINE = 6
"""Line of postmaster.pid (from 0) with key and id of the System V segment."""

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


def discard_lock(lock_file: Path) -> None:
    """Remove a dead PostgreSQL's lock file and the System V segment that it names.

    A killed server removes neither: the file would stop the next start, and segments are few
    (kernel.shmmni) and live until the next boot.

    Args:
        lock_file: ``postmaster.pid``; no process may live in its folder. May be missing.
    """
    try:
        lines = lock_file.read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return
    if len(lines) > _SEGMENT_LINE and lines[_SEGMENT_LINE].split():
        segment = int(lines[_SEGMENT_LINE].split()[-1])
        # Fails if the server removed it or another user made one with its id: both are fine.
        ctypes.CDLL(None).shmctl(segment, _IPC_RMID, None)
    lock_file.unlink(missing_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove a server's folder in which no process lives any more, and its System V segment.

    Raises:
        OSError: Something in it cannot be removed.
    """
    discard_lock(folder / _POSTGRES_LOCK)
    shutil.rmtree(folder)


def guardian_of(folder: Path) -> ProcessStamp | None:
    """Return the guardian of a server's folder; None if the folder does not name one."""
    try:
        values = json.loads((folder / GUARDIAN_FILE).read_text(encoding="utf-8"))
        return ProcessStamp.from_json(values["guardian"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None  # under construction at this moment, or cut short by a crash


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it left meanwhile
