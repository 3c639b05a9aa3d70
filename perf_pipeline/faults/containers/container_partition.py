"""The engine takes a server's container off its networks, and attaches it again as it was.

The server goes on and hears nobody. Its published ports are gone with the network, so new
connections from this machine are refused, and open ones end.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.containers.container_fault import (
    ContainerFault,
    ServerContainer,
    undo_for_dead,
)
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.process_faults import is_listening
from perf_pipeline.servers.stack.docker_container import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.servers.stack.docker_container import DockerContainer

_ENDPOINTS = "endpoints"


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Attach the container of an entry to its networks again."""
    endpoints = [
        Endpoint(one["network"], tuple(one["aliases"]), one["ipv4_address"])
        for one in json.loads(str(entry[_ENDPOINTS]))
    ]
    undo_for_dead(entry, lambda container: _attach(container, endpoints))


class ContainerPartition(ContainerFault):
    """Takes the container of a server off its networks; see ``Fault``."""

    def preflight(self) -> None:
        """Find the container and its networks."""
        container = ServerContainer(self.place)
        if not container.before.endpoints:
            raise FaultRefusedError(f"container {container.before.name} is on no network")
        if names := {"host", "none"} & {one.network for one in container.before.endpoints}:
            raise FaultRefusedError(
                f"container {container.before.name} has the network {names.pop()}, which no "
                "container can be taken off"
            )
        self.found = container

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return what finds the container, and how it is attached."""
        endpoints = [asdict(one) for one in self.container.before.endpoints]
        return {**self.container.entry(), _ENDPOINTS: json.dumps(endpoints)}

    def inject(self) -> None:
        """Take it off all its networks."""
        for endpoint in self.container.before.endpoints:
            self.container.engine.disconnect(endpoint.network)
        wait_until_it_acts(self, self.place)

    def sign(self) -> Sign:
        """Try to connect to the server, and ask the engine what the container is and where."""
        accepts = is_listening(self.container.server)
        now = self.container.engine.inspect()
        networks = ", ".join(one.network for one in now.endpoints) or "no network"
        return Sign(
            in_effect=now.status == "running" and not now.endpoints and not accepts,
            value=float(accepts),
            text=f"container {now.status}, on {networks}; connections are "
            f"{'accepted' if accepts else 'not accepted'}",
        )

    def undo(self) -> None:
        """Attach it again."""
        if self.found is not None:
            _attach(self.found.engine, self.found.before.endpoints)


def _attach(container: DockerContainer, endpoints: Iterable[Endpoint]) -> None:
    attached = {one.network for one in container.inspect().endpoints}
    for endpoint in endpoints:
        if endpoint.network not in attached:
            container.connect(endpoint)
