"""What the failures of a server's container have in common: the container, its state, its undoing.

A container outlives whoever changed it, so each of these failures is in the fault journal and
known to the guardian before it is injected. Its engine does what it was asked also when the one who
asked was killed meanwhile: what is taken back for a dead injector is looked at twice.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from perf_pipeline.config.services import service_label
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.servers.server import redacted_url
from perf_pipeline.servers.service import find_service
from perf_pipeline.servers.stack.docker_container import (
    ContainerGoneError,
    DockerContainer,
    EngineError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import FaultedServer, Place, State

ENTRY_CONTAINER, ENTRY_ENGINE = "container", "engine"
_ANSWER_S = 2.0
_UNDER_WAY_S = 2.0
"""How long an engine may take to do what a killed injector asked it for."""


def is_container(place: Place) -> bool:
    """Return whether the server of a failure is a container of the running stack."""
    return place.server is not None and place.server.container is not None


class ServerContainer:
    """The container of a server that a failure is done to.

    Attributes:
        server: The server.
        engine: The container, by its engine.
    """

    def __init__(self, place: Place) -> None:
        """Find it.

        Raises:
            FaultRefusedError: The server has none, or the container does not run.
        """
        server = place.server
        if server is None:
            raise FaultRefusedError("it is done to a server, and none is named: add server = ...")
        if server.container is None:
            raise FaultRefusedError(
                f"{service_label(server.service)} at {redacted_url(server.url)} is no container of "
                "the running stack, so no Docker engine can do this to it: start the stack "
                f"(`make start STACK=1`) and leave {server.service}'s URL out"
            )
        self.server: FaultedServer = server
        self.container_id = server.container.id
        self.engine = DockerContainer(server.container.engine, server.container.id)
        try:
            self.before = self.engine.inspect()
        except (ContainerGoneError, EngineError) as error:
            raise FaultRefusedError(str(error)) from error
        if self.before.status != "running":
            raise FaultRefusedError(
                f"container {self.before.name} is {self.before.status}, not running"
            )

    def state(self) -> State:
        """Return what the server and its container are.

        Raises:
            NotAnsweringError: It does not answer.
        """
        now = self.engine.inspect()
        facts = find_service(self.server.service).identify(self.server.url, _ANSWER_S)
        return {
            "product": f"{facts.product} {facts.version}",
            "container": now.status,
            "networks": ", ".join(one.network for one in now.endpoints),
            "cpus": str(now.cpu.cpus),
            "memory": str(now.memory_bytes),
            **facts.settings,
        }

    def entry(self) -> dict[str, SettingValue]:
        """Return what finds the container again."""
        return {ENTRY_CONTAINER: self.container_id, ENTRY_ENGINE: self.engine.engine}


class ContainerFault:
    """What the failures of a server's container share; each is a ``Fault``.

    Attributes:
        place: Where it is injected.
        found: The container; None before ``preflight``, which each of them has.
    """

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is asked."""
        self.place = place
        self.found: ServerContainer | None = None

    @property
    def container(self) -> ServerContainer:
        """The container, after ``preflight``."""
        assert self.found is not None
        return self.found

    def state(self) -> State:
        """Return what the server and its container are."""
        return self.container.state()

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return what finds the container."""
        return self.container.entry()


def undo_for_dead(
    entry: Mapping[str, SettingValue],
    undo: Callable[[DockerContainer], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Undo what a killed injector did to a container, or had just asked for; gone is fine.

    Args:
        entry: Of the journal.
        undo: Takes it back; it may be called again.
        sleep: Waits, s.

    Raises:
        EngineError: It could not be taken back.
    """
    container = DockerContainer(str(entry[ENTRY_ENGINE]), str(entry[ENTRY_CONTAINER]))
    with suppress(ContainerGoneError):
        undo(container)
        sleep(_UNDER_WAY_S)
        undo(container)


def start_ended(container: DockerContainer) -> None:
    """Start a container that has ended."""
    if container.inspect().status == "exited":
        container.start()
