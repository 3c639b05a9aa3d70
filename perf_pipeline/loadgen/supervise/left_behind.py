"""Processes that a worker started and that outlived its keeper, which was killed.

A keeper ends them (``keeper.py``). Where it was killed itself, they are found by what the
worker gave them: HOME is the worker's folder, which no other process has.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

_HOME = b"HOME="


def end_left_behind(folder: Path) -> dict[int, str]:
    """Kill the processes of this user whose home is in a folder; process id to name.

    Args:
        folder: Of a worker, a level or a run; no worker of it may live.
    """
    ended = {}
    for pid, name in processes_at_home_in(folder).items():
        with contextlib.suppress(OSError):
            descriptor = os.pidfd_open(pid)
            try:  # the number may be another process's by now
                if pid in processes_at_home_in(folder, [pid]):
                    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
                    ended[pid] = name
            finally:
                os.close(descriptor)
    return ended


def processes_at_home_in(folder: Path, pids: list[int] | None = None) -> dict[int, str]:
    """Return the processes of this user whose home is in a folder, by process id.

    Args:
        folder: The folder.
        pids: Which processes to look at; None for all.
    """
    wanted = [_HOME + os.fsencode(path) for path in {folder.absolute(), folder.resolve()}]
    below = tuple(one + b"/" for one in wanted)
    found = {}
    for pid in _all_pids() if pids is None else pids:
        root = Path(f"/proc/{pid}")
        try:
            if root.stat().st_uid != os.geteuid() or pid == os.getpid():
                continue
            variables = (root / "environ").read_bytes().split(b"\0")
            name = (root / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue  # it has just ended
        if any(one in wanted or one.startswith(below) for one in variables):
            found[pid] = name
    return found


def _all_pids() -> list[int]:
    return [int(entry) for entry in os.listdir("/proc") if entry.isdecimal()]  # noqa: PTH208
