"""The user's own servers before a load: a worker can connect, and its user may store what it must.

What is found out here would otherwise fail every workflow.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.loadgen.environment.server_trial import refuse_unreachable
from perf_pipeline.loadgen.left_out import servers_left_out, servers_needed
from perf_pipeline.servers.lifecycle.resolve import running_server, users_url_variables
from perf_pipeline.servers.service import NotAnsweringError, find_service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server


def refuse_unusable_servers(
    scenario: Scenario, settings: Settings, pythons: Mapping[str, Path]
) -> None:
    """Refuse the user's own servers that a scenario needs and its workers could not use.

    Functions of the user's connect as they like and store what they like: nothing is tried.

    Args:
        scenario: What would run.
        settings: Name the servers.
        pythons: Target to its interpreter.

    Raises:
        ServiceUnavailableError: With a sentence for each server.
    """
    if any(workload.is_function for workload in scenario.workloads):
        return
    servers = answering_servers(scenario, settings)
    refuse_unprivileged(servers)
    for target, python in pythons.items():
        refuse_unreachable(servers, target, python)


def answering_servers(scenario: Scenario, settings: Settings) -> list[Server]:
    """Return the user's own servers that a scenario needs.

    Raises:
        ServiceUnavailableError: One does not answer, or its driver does not take a URL of the
            settings, of this scenario's servers or not.
    """
    if not settings.urls:
        return []
    users_url_variables(settings)
    needed = servers_needed(scenario, servers_left_out(scenario, settings))
    found = [running_server(settings, name)[0] for name in sorted(needed & settings.urls.keys())]
    return [server for server in found if server is not None]


def servers_that_run(scenario: Scenario, settings: Settings) -> list[Server] | None:
    """Return the servers of a scenario's own functions; None unless all of them run already.

    Raises:
        ServiceUnavailableError: One of the user's own does not answer.
    """
    found = [running_server(settings, name)[0] for name in sorted(scenario.servers)]
    running = [server for server in found if server is not None]
    return running if len(running) == len(found) else None


def refuse_unprivileged(servers: Iterable[Server]) -> None:
    """Refuse servers on which the URL's user may not make, fill and remove the data of a run.

    Raises:
        ServiceUnavailableError: With a sentence for each server.
    """
    refusals = []
    for server in servers:
        storage = find_service(server.service).storage
        try:
            storage.try_out(server.url, storage.storage_name(f"try-{secrets.token_hex(4)}"))
        except NotAnsweringError as error:
            refusals.append(
                f"{server.service}: the user of {SERVICES[server.service].url_variable} needs "
                f"{storage.NEEDED_PRIVILEGES}; the server says: {' '.join(str(error).split())}"
            )
    if refusals:
        raise ServiceUnavailableError("\n".join(refusals))
