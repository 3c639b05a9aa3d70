"""Finds and starts servers: those of one run, and persistent ones."""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.lifeline import stamp
from perf_pipeline.servers.lifecycle.own_disk import own_disk_of
from perf_pipeline.servers.lifecycle.persistent_servers import (
    PersistentServer,
    end_replaced,
    forget_persistent,
    only_one,
    write_persistent,
)
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.lifecycle.resolve import running_server, start_any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import TracebackType

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.logs.log import LogContext
    from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer
    from perf_pipeline.servers.server import Server


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
        *,
        disks_mb: Mapping[str, int] | None = None,
    ) -> None:
        """Prepare, without starting anything.

        Args:
            settings: Paths and addresses.
            services: Names of ``config.services``.
            rng: Draws the ports; not the run's, or runs with one seed would try the same ports.
            disks_mb: Service to the size of a file system of its own for its data, if it is
                started here; None for none.
        """
        self._settings = settings
        self._services = tuple(services)
        self._disks_mb = disks_mb or {}
        self._ports = free_ports(rng or random.SystemRandom(), ephemeral_range())
        self._embedded: dict[str, EmbeddedServer] = {}
        self.servers: dict[str, Server] = {}

    def __enter__(self) -> Self:
        """Find or start every service.

        Raises:
            ServiceUnavailableError: With a sentence for each unavailable service; those that
                were started are stopped again.
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
            KeyError: This session did not start it.
            ServiceUnavailableError: It does not come back.
        """
        self._embedded[service].restart()
        self.servers[service] = self._embedded[service].server
        return self.servers[service]

    def log_to(self, context: LogContext) -> None:
        """Have the guardians of what was started write into the log of a run."""
        for embedded in self._embedded.values():
            embedded.log_to(context)

    def _resolve(self, service: str) -> Server:
        running, notes = running_server(self._settings, service)
        if running is not None:
            return running
        disk_mb = self._disks_mb.get(service)
        embedded, more_notes = start_any(self._settings, service, self._ports, disk_mb)
        self._embedded[service] = embedded
        if disk_mb and own_disk_of(embedded.folder, embedded.server.pids[0]):
            more_notes.append(
                f"its data are on a file system of their own of {disk_mb} MB, in memory, so that "
                "it can be filled: what it writes does not wait for a disk"
            )
        return replace(embedded.server, notes=(*notes, *more_notes))


def start_servers(
    settings: Settings, services: Iterable[str], notify: Callable[[str], None]
) -> list[Server]:
    """Start servers that outlive this process, until ``stop_servers``.

    One that runs already, or that the settings name, is returned as it is.

    Args:
        settings: Paths and addresses.
        services: What to start; unavailable services are left out.
        notify: Called for each that is left out, with the reason and how to get it.

    Returns:
        The servers that run now: at least one.

    Raises:
        ServiceUnavailableError: All are unavailable; with a sentence for each.
    """
    servers, missing = [], []
    ports = free_ports(random.SystemRandom(), ephemeral_range())
    with only_one(settings.state_dir):
        for service in services:
            try:
                running, notes = running_server(settings, service)
                if running is None:
                    end_replaced(settings, service)
                servers.append(running or _start_detached(settings, service, ports, notes))
            except ServiceUnavailableError as error:
                missing.append(f"{service} is left out. {error}")
    if missing and not servers:
        raise ServiceUnavailableError("\n".join(missing))
    for sentence in missing:
        notify(sentence)
    return servers


def _start_detached(
    settings: Settings, service: str, ports: Iterator[int], notes: list[str]
) -> Server:
    embedded, more_notes = start_any(settings, service, ports)
    keep_running(settings, embedded)
    return replace(embedded.server, notes=(*notes, *more_notes))


def keep_running(settings: Settings, embedded: EmbeddedServer) -> None:
    """Let what was started outlive this process; it is stopped if that fails."""
    with ExitStack() as undo:
        undo.callback(embedded.stop)
        undo.callback(forget_persistent, settings.state_dir, embedded.server.service)
        # Written before it is detached: if we are killed in between, the server ends with us.
        write_persistent(settings.state_dir, _persistent(embedded))
        embedded.detach()
        undo.pop_all()


def _persistent(embedded: EmbeddedServer) -> PersistentServer:
    server = embedded.server
    guardian, main_process = stamp(embedded.guardian_pid), stamp(server.pids[0])
    if guardian is None or main_process is None:
        raise ServiceUnavailableError(f"the {server.service} server ended after its first answer")
    return PersistentServer(server.service, server.url, guardian, main_process, embedded.folder)
