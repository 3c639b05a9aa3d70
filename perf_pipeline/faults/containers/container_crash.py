"""The engine kills a server's container, and starts it again on the same data at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.containers.container_fault import (
    ServerContainer,
    start_ended,
    undo_for_dead,
)
from perf_pipeline.faults.fault import Sign
from perf_pipeline.faults.process_faults import is_listening

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Place, State


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Start the container of an entry again, if it has ended."""
    undo_for_dead(entry, start_ended)


class ContainerCrash:
    """Kills the container of a server; see ``Fault``."""

    def __init__(self, place: Place) -> None:
        """Prepare."""
        self._place = place
        self._container: ServerContainer | None = None

    def preflight(self) -> None:
        """Find the container."""
        self._container = ServerContainer(self._place)

    def state(self) -> State:
        """Return what the server and its container are."""
        assert self._container is not None
        return self._container.state()

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return what finds the container."""
        assert self._container is not None
        return self._container.entry()

    def inject(self) -> None:
        """Kill it."""
        assert self._container is not None
        self._container.engine.kill()
        wait_until_it_acts(self, self._place)

    def sign(self) -> Sign:
        """Try to connect to the server, and ask the engine what the container is."""
        assert self._container is not None
        accepts = is_listening(self._container.server)
        status = self._container.engine.inspect().status
        return Sign(
            in_effect=status == "exited" and not accepts,
            value=float(accepts),
            text=f"container {status}, connections are {'accepted' if accepts else 'refused'}",
        )

    def undo(self) -> None:
        """Start it again, if it has ended."""
        if self._container is not None:
            start_ended(self._container.engine)
