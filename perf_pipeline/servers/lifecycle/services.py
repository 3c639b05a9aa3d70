"""Servers as the rest of the project sees them: those of one run, and those that stay."""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.servers.lifecycle.leftovers import clear_leftovers
from perf_pipeline.servers.lifecycle.persistent_servers import start_servers, stop_servers
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.lifecycle.resolve import BACK_ENDS, running_server, start_any
from perf_pipeline.servers.lifecycle.status import ServiceStatus, server_status

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer
    from perf_pipeline.servers.server import Server

__all__ = [
    "SERVICES",
    "ServiceSession",
    "ServiceStatus",
    "clear_leftovers",
    "server_status",
    "start_servers",
    "stop_servers",
]

SERVICES = tuple(BACK_ENDS)
"""Every service that this version knows."""


class ServiceSession:
    """The servers of one run, for the time of a ``with`` block.

    Those that it started end with the block, and with this process if that is killed.

    Attributes:
        servers: Service to server, inside the block.
    """

    def __init__(
        self,
        settings: Settings,
        services: Iterable[str],
        rng: random.Random | None = None,
    ) -> None:
        """Prepare, without starting anything.

        Args:
            settings: Where things are.
            services: Of ``SERVICES``.
            rng: Draws the ports; not the run's, or runs with one seed would meet on one port.
        """
        self._settings = settings
        self._services = tuple(services)
        self._ports = free_ports(rng or random.SystemRandom(), ephemeral_range())
        self._embedded: dict[str, EmbeddedServer] = {}
        self.servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        """Find or start every service.

        Raises:
            ServiceUnavailableError: With a sentence for each that cannot be had; those that
                could be are stopped again.
        """
        missing = []
        with ExitStack() as undo:
            undo.callback(self.close)
            for service in self._services:
                try:
                    self.servers[service] = self._resolve(service)
                except ServiceUnavailableError as error:
                    missing.append(str(error))
            if missing:
                raise ServiceUnavailableError("\n".join(missing))
            undo.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what was started."""
        self.close()

    def close(self) -> None:
        """Stop what was started; a second call does nothing.

        Raises:
            PerfPipelineError: A server's folder could not be removed.
        """
        problems = []
        while self._embedded:
            _, embedded = self._embedded.popitem()
            try:
                embedded.stop()
            except PerfPipelineError as error:
                problems.append(str(error))
        if problems:
            raise PerfPipelineError("\n".join(problems))

    def restart(self, service: str) -> Server:
        """Start a server of this session again on the same data and URL, killed or not.

        Raises:
            KeyError: It is not one that this session started.
            ServiceUnavailableError: It does not come back.
        """
        self._embedded[service].restart()
        self.servers[service] = self._embedded[service].server
        return self.servers[service]

    def _resolve(self, service: str) -> Server:
        running, notes = running_server(self._settings, service)
        if running is not None:
            return running
        embedded, more_notes = start_any(self._settings, service, self._ports)
        self._embedded[service] = embedded
        return replace(embedded.server, notes=(*notes, *more_notes))
