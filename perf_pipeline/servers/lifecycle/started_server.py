"""A server that this project started on this machine, known by its folder.

Its folder has a random name and a file that its living guardian holds, so nothing else on the
machine is ever taken for it, and its processes are found by where they are.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from perf_pipeline.held_folder import read_own
from perf_pipeline.lifeline import ProcessStamp
from perf_pipeline.servers.lifecycle.folder import processes_in
from perf_pipeline.servers.lifecycle.launch_spec import (
    FOLDER_PREFIX,
    GUARDIAN,
    GUARDIAN_FILE,
    REVIVE_SIGNAL,
    REVIVES,
)

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class StartedServer:
    """A server of ours whose guardian lives; itself it may have ended.

    Attributes:
        folder: Its folder, in which its processes live.
        guardian: The process that owns both.
        can_be_revived: Its guardian heeds ``REVIVE_SIGNAL``.
    """

    folder: Path
    guardian: ProcessStamp
    can_be_revived: bool

    def processes(self) -> list[int]:
        """Return its processes, the main one first; empty when it has ended."""
        main = self.main_process()
        others = [pid for pid in processes_in(self.folder) if pid != main]
        return others if main is None else [main, *others]

    def main_process(self) -> int | None:
        """Return the process that the guardian started; None when it has ended."""
        for pid in processes_in(self.folder):
            with suppress(psutil.NoSuchProcess):
                if psutil.Process(pid).ppid() == self.guardian.pid:
                    return pid
        return None

    def revive(self) -> None:
        """Have the guardian start the server again, if it has ended."""
        if self.can_be_revived and self.guardian.is_alive():
            os.kill(self.guardian.pid, REVIVE_SIGNAL)


def started_server(folder: Path | None) -> StartedServer | None:
    """Return the server of ours that a folder belongs to.

    Args:
        folder: The server's folder; None for none.

    Returns:
        None if it is no folder of ours, or its guardian has ended.
    """
    if folder is None or not folder.name.startswith(FOLDER_PREFIX):
        return None
    try:
        facts = json.loads(read_own(folder / GUARDIAN_FILE) or "")
        guardian = ProcessStamp.from_json(facts[GUARDIAN])
    except (ValueError, KeyError, TypeError):
        return None
    if not guardian.is_alive():
        return None
    return StartedServer(folder, guardian, facts.get(REVIVES) is True)


def current_pids(folder: Path | None, pids: tuple[int, ...]) -> tuple[int, ...]:
    """Return the main process of a server of ours as it is now: another after a restart.

    Args:
        folder: Its folder; None for a server that we did not start.
        pids: Its main process when it was found, which is returned where it is not known better.
    """
    started = started_server(folder)
    main = started.main_process() if started is not None else None
    return pids if main is None else (main,)
