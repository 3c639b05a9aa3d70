"""The data of a run on one server: made before the load, counted after each level, then emptied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.servers.lifecycle.started_server import current_pids
from perf_pipeline.servers.probe import WatchedServer
from perf_pipeline.servers.service import Service, find_service
from perf_pipeline.workload.servers import connection_name

if TYPE_CHECKING:
    from perf_pipeline.loadgen.proxied_servers import ServerProxy
    from perf_pipeline.servers.server import Server


@dataclass(frozen=True)
class RunData:
    """The data of a run on one server.

    Attributes:
        server: The server; its service decides what is stored and how.
        run_id: The run; its name is part of the name of its data.
        proxy: What stands between it and the workers; None for nothing.
    """

    server: Server
    run_id: str
    proxy: ServerProxy | None = None

    @property
    def name(self) -> str:
        """The run's own schema, table, prefix of keys or collection on the server."""
        return self._service.storage.storage_name(self.run_id)

    @property
    def workers_url(self) -> str:
        """How workers reach the server; with the password."""
        return self.proxy.workers_url if self.proxy else self.server.url

    def seed(self, seed: int) -> int:
        """Make what the workflows need there.

        Args:
            seed: Seed of the run.

        Returns:
            Rows that workflows will read.
        """
        return self._service.storage.create(self.server.url, self.name, seed)

    def written_numbers(self, level: int) -> set[int]:
        """Return the numbers of the workflows of a load level whose write is on the server.

        Raises:
            NotAnsweringError: The server does not answer; a dead one is not waited for.
        """
        self._find_dead()
        storage = self._service.storage
        return storage.written_numbers(self.server.url, self.name, self.run_id, level)

    def settle(self) -> str:
        """Bring the data to the state in which every load level begins; returns what was done.

        Raises:
            NotAnsweringError: As for ``written_numbers``.
        """
        self._find_dead()
        return self._service.storage.settle(self.server.url, self.name)

    def watched(self) -> WatchedServer:
        """Return the server as it is watched while load runs; nothing is opened yet."""
        return WatchedServer(
            pids=current_pids(self.server.folder, self.server.pids),
            shared=self.server.source in ("settings", "start", "stack"),
            probe=self._service.open_probe(self.server.url, connection_name(self.run_id)),
            addresses=tuple(self._service.tcp_addresses(self.workers_url)),
            folder=self.server.folder,
            container=self.server.container,
        )

    def _find_dead(self) -> None:
        """Ask the server for a moment before a question for which it may take its time.

        Raises:
            NotAnsweringError: It does not answer.
        """
        probe = self._service.open_probe(self.server.url, connection_name(self.run_id))
        try:
            probe.ask()
        finally:
            probe.close()

    @property
    def _service(self) -> Service:
        return find_service(self.server.service)
