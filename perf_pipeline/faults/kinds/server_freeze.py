"""Every process of a server is stopped: connections stay open, and nobody answers.

The main process alone would not do: a PostgreSQL whose postmaster is stopped still answers on open
connections, in 0.4 ms (reference/faults.md, section 0).
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from perf_pipeline.faults.containers import container_freeze
from perf_pipeline.faults.containers.container_fault import ENTRY_CONTAINER, is_container
from perf_pipeline.faults.containers.container_freeze import ContainerFreeze
from perf_pipeline.faults.fault import Sign
from perf_pipeline.faults.process_faults import (
    ENTRY_FOLDER,
    left_folder,
    own_server,
    server_state,
    stopped_processes,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State
    from perf_pipeline.servers.lifecycle.started_server import StartedServer

_STOPPED_S = 2.0
_POLL_S = 0.01


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:  # noqa: ARG001 - has none
    """Make the failure: by the engine of a container, else by signals."""
    return ContainerFreeze(place) if is_container(place) else ServerFreeze(place)


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Let the server of an entry go on."""
    if ENTRY_CONTAINER in entry:
        container_freeze.undo_left_behind(entry)
        return
    started = left_folder(entry)
    if started is not None:
        _let_go_on(started)


class ServerFreeze:
    """SIGSTOP to every process of a server that this project started."""

    def __init__(self, place: Place) -> None:
        """Prepare."""
        self._place = place
        self._started: StartedServer | None = None

    def preflight(self) -> None:
        """Find its processes."""
        self._server, self._started = own_server(self._place)

    def state(self) -> State:
        """Return how it answers, and which processes are stopped."""
        assert self._started is not None
        return server_state(self._server, self._started)

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return its folder, by which its processes are found."""
        assert self._started is not None
        return {ENTRY_FOLDER: str(self._started.folder)}

    def inject(self) -> None:
        """Stop its processes, the main one first, and those that it forked meanwhile."""
        assert self._started is not None
        deadline_s = time.monotonic() + _STOPPED_S
        while time.monotonic() < deadline_s:
            pids = self._started.processes()
            running = [pid for pid in pids if pid not in stopped_processes(pids)]
            if not running:
                return
            for pid in running:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            self._place.sleep(_POLL_S)

    def sign(self) -> Sign:
        """Count its processes and those that the kernel calls stopped."""
        assert self._started is not None
        pids = self._started.processes()
        stopped = stopped_processes(pids)
        return Sign(
            in_effect=bool(pids) and len(stopped) == len(pids),
            value=len(stopped),
            text=f"{len(stopped)} of {len(pids)} processes are stopped",
        )

    def undo(self) -> None:
        """Let its processes go on."""
        if self._started is not None:
            _let_go_on(self._started)


def _let_go_on(started: StartedServer) -> None:
    for pid in started.processes():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
