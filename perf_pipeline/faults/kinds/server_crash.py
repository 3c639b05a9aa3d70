"""Every process of a server is killed, and it is started again on the same data at the end.

Its guardian starts it, with the arguments of the first start. What it held in memory is lost, as
in a power cut that spares the disk: a Redis without persistence comes back empty.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from perf_pipeline.faults.containers import container_crash
from perf_pipeline.faults.containers.container_crash import ContainerCrash
from perf_pipeline.faults.containers.container_fault import ENTRY_CONTAINER, is_container
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.process_faults import (
    ENTRY_FOLDER,
    is_ending,
    is_listening,
    left_folder,
    own_server,
    revive,
    server_state,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State
    from perf_pipeline.servers.lifecycle.started_server import StartedServer

_KILLED_S = 5.0
_POLL_S = 0.01


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:  # noqa: ARG001 - has none
    """Make the failure: by the engine of a container, else by signals."""
    return ContainerCrash(place) if is_container(place) else ServerCrash(place)


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Start the server of an entry again, if it has ended."""
    if ENTRY_CONTAINER in entry:
        container_crash.undo_left_behind(entry)
        return
    started = left_folder(entry)
    if started is not None:
        revive(started, time.sleep)


class ServerCrash:
    """SIGKILL to every process of a server that this project started."""

    def __init__(self, place: Place) -> None:
        """Prepare."""
        self._place = place
        self._started: StartedServer | None = None

    def preflight(self) -> None:
        """Find its processes, and whether its guardian can start it again."""
        self._server, started = own_server(self._place)
        if not started.can_be_revived:
            raise FaultRefusedError(
                f"the guardian {started.guardian.pid} of the {self._server.service} server was "
                "started by an older version, which cannot start it again: "
                "`perf-pipeline stop`, then `perf-pipeline start`."
            )
        self._started = started

    def state(self) -> State:
        """Return how it answers."""
        assert self._started is not None
        return server_state(self._server, self._started)

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return its folder, by which its guardian is found."""
        assert self._started is not None
        return {ENTRY_FOLDER: str(self._started.folder)}

    def inject(self) -> None:
        """Kill its processes, and those that they forked meanwhile, until none executes."""
        deadline_s = time.monotonic() + _KILLED_S
        while left := self._alive()[0]:
            if time.monotonic() > deadline_s:
                raise RuntimeError(f"processes {left} do not end within {_KILLED_S:g} s of SIGKILL")
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._place.sleep(_POLL_S)

    def sign(self) -> Sign:
        """Count its processes, and try to connect to it."""
        alive, ending = self._alive()
        accepts = is_listening(self._server)
        connections = "accepted" if accepts else "refused"
        if ending:  # its port may still be open, and nobody is there who could answer
            connections += f"; {ending} are being taken apart by the kernel"
        return Sign(
            in_effect=not alive and (ending > 0 or not accepts),
            value=len(alive),
            text=f"{len(alive)} processes live, connections are {connections}",
        )

    def undo(self) -> None:
        """Have its guardian start it again, if it has ended."""
        if self._started is not None:
            revive(self._started, self._place.sleep)

    def _alive(self) -> tuple[list[int], int]:
        """Return its processes that may execute something, and how many are ending."""
        assert self._started is not None
        found = self._started.processes()
        alive = [pid for pid in found if not is_ending(pid)]
        return alive, len(found) - len(alive)
