"""The servers of a run, and the run's data on each from before the load to its end."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from perf_pipeline.errors import ScenarioError, ServiceUnavailableError
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.proxy.decisions import DECISIONS_FILE
from perf_pipeline.loadgen.left_out import servers_left_out, servers_needed
from perf_pipeline.loadgen.proxied_servers import ProxiedServers, proxied_services
from perf_pipeline.loadgen.run_data import RunData
from perf_pipeline.servers.lifecycle.lease import leased
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.lifecycle.services import ServiceSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import ExitStack

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import FaultedServer
    from perf_pipeline.logs.log import LogContext
    from perf_pipeline.servers.server import Server

OF_THE_FIRST = "brought to a known state by shard 0"
NOT_OURS = "left as it was: its data belong to the user's own functions"

FILLED_DISK_MB = 1024
"""Of a file system that a failure fills: it holds a new PostgreSQL and its log, and fits memory."""


class RunServers:
    """Finds or starts servers, seeds them, and brings them to a known state between levels.

    Attributes:
        left_out: Unavailable servers that workflows do without; once opened.
        run_data: Service to the run's data there; once opened.
        proxied: The proxies before servers with failures of the network; None without, and before
            it is opened.
    """

    def __init__(
        self,
        scenario: Scenario,
        settings: Settings,
        run_id: str,
        *,
        notify: Callable[[str], None],
        stack: ExitStack,
        without: tuple[str, ...] | None = None,
        is_first: bool = True,
    ) -> None:
        """Prepare; nothing is started.

        Args:
            scenario: What the run does.
            settings: Paths and addresses.
            run_id: The run; part of the name of its data.
            notify: Called with each line that people should see.
            stack: Ends and removes everything at the end.
            without: As of ``Run``.
            is_first: Whether it makes, settles and removes the data of the run; of several shards
                one does.
        """
        self.left_out: tuple[str, ...] = ()
        self.run_data: dict[str, RunData] = {}
        self.proxied: ProxiedServers | None = None
        self._scenario = scenario
        self._settings = settings
        self._run_id = run_id
        self._notify = notify
        self._stack = stack
        self._without = without
        self._services: ServiceSession | None = None
        self._seeded: dict[str, int] | None = None
        # The data of a user's own functions are neither created nor removed.
        self._ours = all(workload.sort == "families" for workload in scenario.workloads)
        self._is_first = is_first

    def open(self) -> dict[str, Server]:
        """Find or start the servers, once.

        Returns:
            Service to server.

        Raises:
            ServiceUnavailableError: With a sentence for each unavailable server.
        """
        if self._services is None:
            self.left_out = self._without or ()
            if self._without is None:
                self.left_out = servers_left_out(self._scenario, self._settings)
                for service in self.left_out:
                    self._notify(
                        f"{service} is unavailable and left out (perf-pipeline doctor shows why)"
                    )
            needed = servers_needed(self._scenario, self.left_out)
            services = ServiceSession(
                self._settings, sorted(needed), disks_mb=_disks_mb(self._scenario)
            )
            self._services = self._stack.enter_context(services)
            self.proxied = self._proxied(services.servers)
            proxies = self.proxied.proxies if self.proxied else {}
            self.run_data = {
                name: RunData(server, self._run_id, proxies.get(name))
                for name, server in services.servers.items()
            }
        return self._services.servers

    def _proxied(self, servers: dict[str, Server]) -> ProxiedServers | None:
        behind = {
            name: servers[name]
            for name in proxied_services(self._scenario.faults)
            if name in servers
        }
        if not behind:
            return None
        return ProxiedServers(
            behind,
            seed=self._scenario.seed,
            decisions_file=self._settings.results_dir / self._run_id / DECISIONS_FILE,
            ports=free_ports(random.SystemRandom(), ephemeral_range()),
            stack=self._stack,
        )

    def log_to(self, context: LogContext) -> None:
        """Have the guardians of servers that were started for the run write into its log."""
        if self._services is not None:
            self._services.log_to(context)

    def seed(self) -> dict[str, int]:
        """Create the run's data on each server, and fill the table that workflows read, once.

        Returns:
            Server to rows that were seeded.
        """
        if self._seeded is None:
            self._seeded = {}
            for service, server in self.open().items() if self._ours and self._is_first else ():
                run_data = self.run_data[service]
                self._stack.enter_context(leased(self._settings.state_dir, server, run_data.name))
                self._seeded[service] = run_data.seed(self._scenario.seed)
        return self._seeded

    def faulted(self, windows: Iterable[FaultWindow]) -> dict[str, FaultedServer]:
        """Return the servers that failures are done to, as they are now.

        Args:
            windows: The failures; one of a server that was left out is refused when it is due.

        Raises:
            ScenarioError: Servers that may not be faulted, a sentence each.
        """
        wanted = {window.server for window in windows if window.server}
        if not wanted:
            return {}
        from perf_pipeline.faults.marker import (  # noqa: PLC0415 - the drivers of all services
            faulted_server,
        )

        found: dict[str, FaultedServer] = {}
        problems = []
        for service, server in self.open().items():
            if service in wanted:
                try:
                    found[service] = replace(
                        faulted_server(server), proxy_url=self._proxy_url(service)
                    )
                except FaultRefusedError as error:
                    problems.append(str(error))
        if problems:
            raise ScenarioError(problems)
        return found

    def _proxy_url(self, service: str) -> str | None:
        """Return where the proxy before a server is controlled; None without one."""
        proxy = self.proxied.proxies.get(service) if self.proxied is not None else None
        return proxy.control_url if proxy is not None else None

    def settle(self) -> dict[str, str]:
        """Bring each server to the state in which every level begins.

        Returns:
            Server to what was done. A server that does not answer does not end the run: its load
            level shows it.
        """
        if not self._ours:
            return dict.fromkeys(self.run_data, NOT_OURS)
        if not self._is_first:
            return dict.fromkeys(self.run_data, OF_THE_FIRST)
        return {name: _settled(run_data) for name, run_data in self.run_data.items()}

    def written(self, level: int) -> dict[str, Callable[[], set[int]]]:
        """Return, for each server, what reads the numbers of a level's workflows there."""
        return {
            name: partial(run_data.written_numbers, level)
            for name, run_data in self.run_data.items()
        }


def _disks_mb(scenario: Scenario) -> dict[str, int]:
    """Return the servers whose disk is going to be full, to the size of that disk."""
    return {one.server: FILLED_DISK_MB for one in scenario.faults if one.kind == "disk_full"}


def _settled(run_data: RunData) -> str:
    try:
        return run_data.settle()
    except ServiceUnavailableError as error:
        return f"not brought to a known state: {error}"
