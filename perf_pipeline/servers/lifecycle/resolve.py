"""Where a service comes from.

The order, for each service: the URL in the settings; a server that ``perf-pipeline start`` left
running; a container of the running Compose stack; the programs on this machine; the programs of a
PyPI package; else it is unavailable.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.logs.log import LOOSE_FOLDER
from perf_pipeline.redaction.redact import remember_url
from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer, start_embedded
from perf_pipeline.servers.lifecycle.persistent_servers import read_persistent
from perf_pipeline.servers.lifecycle.started_server import current_pids
from perf_pipeline.servers.lifecycle.unprivileged import unprivileged
from perf_pipeline.servers.server import Server, redacted_url
from perf_pipeline.servers.service import (
    AddressError,
    NotAnsweringError,
    find_service,
    how_to_get,
)
from perf_pipeline.servers.stack.stack_server import stack_server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings

_ANSWER_S = 5.0


def users_url(settings: Settings, service: str) -> str | None:
    """Return the complete URL of the user's own server; None if the settings name none.

    Raises:
        ServiceUnavailableError: The service's driver does not take the URL.
    """
    url = settings.urls.get(service)
    if url is None:
        return None
    try:
        complete = find_service(service).complete_url(url, settings.current_dir)
    except AddressError as error:
        spec = SERVICES[service]
        raise ServiceUnavailableError(
            f"{spec.url_variable} {error}: write it like {spec.example_url}."
        ) from error
    remember_url(complete)  # PGPASSWORD or a service may have given it a password
    return complete


def users_url_variables(settings: Settings) -> dict[str, str]:
    """Return the variables with the URLs of the user's own servers, complete.

    Raises:
        ServiceUnavailableError: A service's driver does not take its URL.
    """
    return {
        SERVICES[service].url_variable: str(users_url(settings, service))
        for service in settings.urls
    }


def running_server(settings: Settings, service: str) -> tuple[Server | None, list[str]]:
    """Return the server of a service that runs already, and why others that should were not used.

    Raises:
        ServiceUnavailableError: The URL in the settings does not answer; the user chose that
            server, so no other takes its place.
    """
    implementation = find_service(service)
    url = users_url(settings, service)
    if url is not None:
        try:
            return Server(service, url, "settings", implementation.identify(url, _ANSWER_S)), []
        except NotAnsweringError as error:
            raise ServiceUnavailableError(
                f"{service}: {redacted_url(url)} does not answer ({error}).\n"
                f"Start it, or correct or unset {SERVICES[service].url_variable}.",
            ) from error
    left_running, notes = _left_running(settings, service)
    if left_running is not None:
        return left_running, notes
    in_stack, more_notes = stack_server(settings.stack, service)
    if in_stack is not None:
        in_stack = replace(in_stack, notes=tuple(notes))
    return in_stack, [*notes, *more_notes]


def _left_running(settings: Settings, service: str) -> tuple[Server | None, list[str]]:
    """Return the server that ``start`` left running, and why there is none though it was left."""
    persistent = read_persistent(settings.state_dir, service)
    if persistent is None:
        return None, []
    implementation = find_service(service)
    if not persistent.is_alive():
        return None, [f"the {service} server that `start` left running has ended"]
    try:
        facts = implementation.identify(persistent.url, _ANSWER_S)
    except NotAnsweringError as error:
        return None, [f"the {service} server that `start` left running does not answer ({error})"]
    pids = current_pids(persistent.folder, (persistent.server.pid,))
    return (
        Server(service, persistent.url, "start", facts, pids=pids, folder=persistent.folder),
        [],
    )


def start_any(
    settings: Settings, service: str, ports: Iterator[int], disk_mb: int | None = None
) -> tuple[EmbeddedServer, list[str]]:
    """Start a service from the first installation that works.

    Args:
        settings: Paths and addresses.
        service: The service.
        ports: Ports to try.
        disk_mb: Size of a file system of its own for the data; None for that of its folder.

    Returns:
        The server, and why installations before it were passed over; both are in its notes.

    Raises:
        ServiceUnavailableError: No installation works; the text says how to get one.
    """
    implementation, as_user = find_service(service), unprivileged()
    notes: list[str] = []
    for one in implementation.installations(settings):
        try:
            started = start_embedded(
                *(implementation, one, settings.temp_dir, ports),
                as_user=as_user,
                disk_mb=disk_mb,
                log_folder=settings.state_dir / LOOSE_FOLDER,
            )
        except ServiceUnavailableError as error:
            notes.append(f"{one.program}: {error}")
        else:
            return started, notes
    raise ServiceUnavailableError("\n".join([*notes, how_to_get(service)]))
