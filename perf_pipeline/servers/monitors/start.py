"""Starts the monitoring that stays until ``perf-pipeline stop``, and says how it is."""

from __future__ import annotations

import random
import shutil
import time
from contextlib import suppress
from itertools import chain
from typing import TYPE_CHECKING

from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.logs.log import LOOSE_FOLDER
from perf_pipeline.servers.lifecycle.persistent_servers import (
    end_replaced,
    only_one,
    read_persistent,
    stop_servers,
    write_private,
)
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports, is_free
from perf_pipeline.servers.lifecycle.services import keep_running
from perf_pipeline.servers.lifecycle.status import ServiceStatus
from perf_pipeline.servers.monitors.monitor import PRODUCTS, ask_monitor
from perf_pipeline.servers.monitors.programs import (
    ALERTMANAGER,
    PROMETHEUS,
    alertmanager,
    exporter_of,
    node_exporter,
    prometheus,
    target_file,
    target_file_name,
)
from perf_pipeline.servers.monitors.start_monitor import start_monitor
from perf_pipeline.servers.server import Server
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.monitors.monitor import Monitor

_USUAL_PORTS = {PROMETHEUS: 9090, ALERTMANAGER: 9093}
_ANSWER_S = 5.0
_LOST = (
    "it does not reach the server that it watches ({series} is 0), whose metrics are missing. "
    "`perf-pipeline start --monitoring` starts both again."
)


def start_monitoring(
    settings: Settings, servers: Iterable[Server], notify: Callable[[str], None]
) -> list[Server]:
    """Start Prometheus, Alertmanager and exporters that outlive this process.

    What runs already is returned as it is. Runs that begin from now on are scraped.

    Args:
        settings: Paths and addresses.
        servers: Which have an exporter each, if its program is here.
        notify: Called for each exporter that is left out, with the reason.

    Returns:
        What runs now.

    Raises:
        ServiceUnavailableError: Prometheus or Alertmanager is missing, or does not start.
    """
    scrape_dir = watched_folder(settings)
    scrape_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    exporters = [node_exporter(), *filter(None, map(exporter_of, servers))]
    with only_one(settings.state_dir):
        alerts = _started(settings, alertmanager(settings))
        found = {ALERTMANAGER: alerts}
        for monitor in exporters:
            try:
                found[monitor.job] = _started(settings, monitor)
            except ServiceUnavailableError as error:
                notify(f"the {PRODUCTS[monitor.NAME][0]} is left out. {error}")
        targets = {job: target_file(server.url) for job, server in found.items()}
        watching = _started(settings, prometheus(scrape_dir, targets))
        found[PROMETHEUS] = watching
        if watching.folder is not None:  # its own address, and servers that were not there before
            for job, server in found.items():
                name, text = target_file_name(job), target_file(server.url)
                write_private(watching.folder / name, text)
    return list(found.values())


def watched_folder(settings: Settings) -> Path:
    """Return the folder in which runs register with the Prometheus that is started."""
    return settings.monitoring.scrape_dir or settings.state_dir / "scrape"


def stop_monitoring(settings: Settings) -> list[str]:
    """Stop what ``start_monitoring`` left running; runs are not scraped from now on.

    Returns:
        The names of what was stopped.

    Raises:
        PerfPipelineError: One does not end.
    """
    stopped = stop_servers(settings, PRODUCTS)
    if settings.monitoring.scrape_dir is None:
        shutil.rmtree(watched_folder(settings), ignore_errors=True)
    return stopped


def monitoring_status(settings: Settings) -> list[ServiceStatus]:
    """Return how what ``start_monitoring`` left running is; nothing of what was not started."""
    return [found for name in PRODUCTS if (found := _status(settings, name)) is not None]


def _status(settings: Settings, name: str) -> ServiceStatus | None:
    persistent = read_persistent(settings.state_dir, name)
    if persistent is None:
        return None
    began_s = time.monotonic()
    try:
        facts, lost = ask_monitor(name, persistent.url, _ANSWER_S)
    except NotAnsweringError as error:
        detail = (
            f"it does not answer ({error}). `perf-pipeline start --monitoring` starts it again."
        )
        return ServiceStatus(name, "unavailable", "failing", detail=detail)
    return ServiceStatus(
        name,
        "answers",
        "failing" if lost else "good",
        source="start",
        url=persistent.url,
        product=facts.product,
        version=facts.version,
        answer_s=time.monotonic() - began_s,
        detail=_LOST.format(series=lost) if lost else "",
    )


def _started(settings: Settings, monitor: Monitor) -> Server:
    """Return what runs, else start it so that it outlives this process.

    An exporter that does not reach its server, which may be at another address by now, is replaced.
    """
    persistent = read_persistent(settings.state_dir, monitor.NAME)
    if persistent is not None and persistent.is_alive():
        with suppress(NotAnsweringError):
            facts, lost = ask_monitor(monitor.NAME, persistent.url, _ANSWER_S)
            if not lost:
                folder = persistent.folder
                return Server(monitor.NAME, persistent.url, "start", facts, folder=folder)
    end_replaced(settings, monitor.NAME)
    embedded = start_monitor(
        settings,
        monitor,
        _ports(monitor.NAME),
        log_folder=settings.state_dir / LOOSE_FOLDER,
    )
    keep_running(settings, embedded)
    return embedded.server


def _ports(name: str) -> Iterator[int]:
    """Return the ports to try: the usual one first, where people look."""
    usual = [port for port in (_USUAL_PORTS.get(name),) if port and is_free(port)]
    return chain(usual, free_ports(random.SystemRandom(), ephemeral_range()))
