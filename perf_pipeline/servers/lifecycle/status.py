"""Where each service would come from now, and whether what should answer does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.servers.service import NotAnsweringError, find_service, how_to_get
from perf_pipeline.servers.stack.running_stack import running_stack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

_ANSWER_S = 5.0


@dataclass(frozen=True)
class ServiceStatus:
    """Where a service would come from now.

    Attributes:
        service: Name of the service.
        state: ``answers`` (it runs), ``can_start`` (a run would start it), ``unavailable``.
        health: ``good`` (it answered a query), ``failing`` (a server that the settings name, or
            that ``perf-pipeline start`` left running, does not answer), ``not_running`` (none is
            expected to run).
        source: As in ``Server``; None when unavailable.
        url: Without password, if it runs.
        product: Product if it runs, the program's path if it can be started.
        version: Of the product, if it runs.
        answer_s: How long a query took, with its connection; None if no server runs.
        connections: Of all programs to it, without ours; None if it does not run or report them.
        max_connections: How many it accepts; None if it does not run or report it.
        detail: What is wrong and how to get it; empty when nothing is.
    """

    service: str
    state: Literal["answers", "can_start", "unavailable"]
    health: Literal["good", "failing", "not_running"]
    source: str | None = None
    url: str | None = None
    product: str | None = None
    version: str | None = None
    answer_s: float | None = None
    connections: int | None = None
    max_connections: int | None = None
    detail: str = ""


def server_status(settings: Settings, services: Iterable[str]) -> list[ServiceStatus]:
    """Return where each service would come from, without starting anything."""
    return [_status(settings, service) for service in services]


def _status(settings: Settings, service: str) -> ServiceStatus:
    try:
        running, notes = running_server(settings, service)
    except ServiceUnavailableError as error:
        return ServiceStatus(service, "unavailable", "failing", detail=str(error))
    if running is not None:
        return _running(running)
    # A note is about a server that should run, and does not answer.
    health: Literal["failing", "not_running"] = "failing" if notes else "not_running"
    found = find_service(service).installations(settings)
    if not found:
        how = "\n".join([*notes, *_without_stack(settings), how_to_get(service)])
        return ServiceStatus(service, "unavailable", health, detail=how)
    source, program = found[0].source, str(found[0].program)
    detail = "\n".join([*notes, *_without_stack(settings)])
    return ServiceStatus(service, "can_start", health, source, product=program, detail=detail)


def _without_stack(settings: Settings) -> list[str]:
    """Return why no running stack was looked for, though there may be one."""
    stack = running_stack(settings.stack)
    is_noted = stack.is_slow or not stack.why_not
    return [] if is_noted else [f"no running stack was looked for: {stack.why_not}"]


def _running(server: Server) -> ServiceStatus:
    connections: int | None = None
    detail = ""
    began_s = time.monotonic()
    try:
        connections = find_service(server.service).connection_count(server.url, _ANSWER_S)
    except NotAnsweringError as error:
        detail = f"its connections could not be counted: {error}"
    return ServiceStatus(
        server.service,
        "answers",
        "good",
        source=server.source,
        url=server.redacted_url,
        product=server.facts.product,
        version=server.facts.version,
        answer_s=time.monotonic() - began_s,
        connections=connections,
        max_connections=server.facts.max_connections,
        detail=detail,
    )
