"""The engine pauses a server's container: its kernel group is frozen, and nobody answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.containers.container_fault import (
    ContainerFault,
    ServerContainer,
    undo_for_dead,
)
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.network.path import Path
from perf_pipeline.faults.network.proxied_server import OPENED_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Place
    from perf_pipeline.servers.stack.docker_container import DockerContainer

SILENT_S = 0.1
"""An exchange over an open session that takes so long, while the container is paused."""
_WAIT_S = 2 * SILENT_S
"""The exchange begins in a thread, on a busy machine a little later than it was asked for."""


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Let the container of an entry go on."""
    undo_for_dead(entry, _let_go_on)


class ContainerFreeze(ContainerFault):
    """Pauses the container of a server; see ``Fault``."""

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is opened."""
        super().__init__(place)
        self._path: Path | None = None

    def preflight(self) -> None:
        """Find the container, and exchange something with the server."""
        self.found = ServerContainer(self.place)
        path = self._open_path()
        path.begin()
        trip = path.wait(OPENED_S)
        if not trip.is_answered:
            why = trip.error or f"no answer within {OPENED_S:.0f} s"
            raise FaultRefusedError(f"{self.found.server.service} does not answer: {why}")

    def inject(self) -> None:
        """Pause it."""
        self.container.engine.pause()

    def sign(self) -> Sign:
        """Ask the server something over an open session, and the engine what the container is."""
        path = self._open_path()
        earlier = path.begin()
        trip = path.wait(_WAIT_S)
        status = self.container.engine.inspect().status
        is_silent = not trip.is_answered and not trip.error and trip.took_s >= SILENT_S
        heard = "an exchange was answered" if earlier and earlier.is_answered else trip.error
        if trip.is_answered:
            heard = f"it answers in {1e3 * trip.took_s:.1f} ms"
        return Sign(
            in_effect=is_silent and status == "paused",
            value=1e3 * trip.took_s,
            text=f"container {status}; "
            + (f"no answer for {trip.took_s:.2f} s" if is_silent else heard or "no answer yet"),
        )

    def undo(self) -> None:
        """Let it go on, and end the session."""
        if self.found is not None:
            _let_go_on(self.found.engine)
        if self._path is not None:
            self._path.close()
            self._path = None

    def _open_path(self) -> Path:
        """Return the session for evidence: another one after ``undo``."""
        if self._path is None:
            server = self.container.server
            self._path = Path(server.service, server.url, self.place.clock_ns)
        return self._path


def _let_go_on(container: DockerContainer) -> None:
    if container.inspect().status == "paused":
        container.unpause()
