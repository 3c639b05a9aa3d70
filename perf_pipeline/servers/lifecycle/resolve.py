"""Where a service comes from.

The order, for each service: the URL in the settings; a server that ``perf-pipeline start`` left
running; the programs on this machine; the programs of a PyPI package; else it is unavailable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.servers.lifecycle.back_end import NotAnsweringError, disguise
from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer, start_embedded
from perf_pipeline.servers.lifecycle.started import read_started
from perf_pipeline.servers.mongodb import launch as mongodb
from perf_pipeline.servers.mysql import launch as mysql
from perf_pipeline.servers.postgres import launch as postgres
from perf_pipeline.servers.redis import launch as redis
from perf_pipeline.servers.server import Server, redacted_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.lifecycle.back_end import BackEnd

BACK_ENDS: dict[str, BackEnd] = {
    postgres.SERVICE: postgres,
    mysql.SERVICE: mysql,
    redis.SERVICE: redis,
    mongodb.SERVICE: mongodb,
}
_ANSWER_S = 5.0


def running_server(settings: Settings, service: str) -> tuple[Server | None, list[str]]:
    """Return the server of a service that runs already, and why a noted one was passed over.

    Raises:
        ServiceUnavailableError: The URL in the settings does not answer; the user chose that
            server, so no other takes its place.
    """
    back_end = BACK_ENDS[service]
    url = settings.urls.get(service)
    if url is not None:
        try:
            return Server(service, url, "settings", back_end.facts(url, _ANSWER_S)), []
        except NotAnsweringError as error:
            raise ServiceUnavailableError(
                f"{service}: {redacted_url(url)} does not answer ({error}).\n"
                f"Start it, or correct or unset PERF_PIPELINE_{service.upper()}_URL.",
            ) from error
    started = read_started(settings.state_dir, service)
    if started is None:
        return None, []
    if not started.is_alive():
        return None, [f"the {service} server that `start` had left no longer runs"]
    try:
        facts = back_end.facts(started.url, _ANSWER_S)
    except NotAnsweringError as error:
        return None, [f"the {service} server that `start` had left does not answer ({error})"]
    return Server(service, started.url, "start", facts, pids=(started.server.pid,)), []


def start_any(
    settings: Settings, service: str, ports: Iterator[int]
) -> tuple[EmbeddedServer, list[str]]:
    """Start a service from the first installation that works.

    Returns:
        The server, and why installations before it were passed over; both are in its notes.

    Raises:
        ServiceUnavailableError: None works, or there is none; the text says how to get one.
    """
    back_end = BACK_ENDS[service]
    as_user = disguise()
    notes: list[str] = []
    for one in back_end.installations(settings):
        try:
            return start_embedded(back_end, one, settings.temp_dir, ports, as_user=as_user), notes
        except ServiceUnavailableError as error:
            notes.append(f"{one.program}: {error}")
    raise ServiceUnavailableError("\n".join([*notes, back_end.HOW_TO_GET]))
