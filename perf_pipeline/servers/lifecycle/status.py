"""Where each service would come from now, and whether what should answer does."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.servers.lifecycle.back_end import NotAnsweringError
from perf_pipeline.servers.lifecycle.resolve import BACK_ENDS, running_server

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
        health: ``good`` (it answered a query), ``failing`` (one that the settings name, or that
            ``perf-pipeline start`` left, does not), ``not_running`` (nobody said that it should).
        source: As in ``Server``; None when unavailable.
        url: Without password, if it runs.
        product: Product if it runs, the program's path if it can be started.
        version: Of the product, if it runs.
        answer_s: How long a query took, its connection included; None if it does not run.
        connections: Of all programs to it, without ours; None if it does not run or tell.
        max_connections: The most that it accepts; None if it does not run or tell.
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
    """Say where each service would come from, without starting anything."""
    return [_status(settings, service) for service in services]


def _status(settings: Settings, service: str) -> ServiceStatus:
    try:
        running, notes = running_server(settings, service)
    except ServiceUnavailableError as error:
        return ServiceStatus(service, "unavailable", "failing", detail=str(error))
    if running is not None:
        return _running(running)
    # A note tells of a server that was left running and is not there any more.
    health: Literal["failing", "not_running"] = "failing" if notes else "not_running"
    back_end = BACK_ENDS[service]
    found = back_end.installations(settings)
    if not found:
        how = "\n".join([*notes, back_end.HOW_TO_GET])
        return ServiceStatus(service, "unavailable", health, detail=how)
    source, program = found[0].source, str(found[0].program)
    detail = "\n".join(notes)
    return ServiceStatus(service, "can_start", health, source, product=program, detail=detail)


def _running(server: Server) -> ServiceStatus:
    back_end = BACK_ENDS[server.service]
    began_s = time.monotonic()
    try:
        connections, detail = back_end.connections(server.url, _ANSWER_S), ""
    except NotAnsweringError as error:
        connections, detail = None, f"its connections could not be counted: {error}"
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
