"""Servers that stay: started and stopped by commands of their own, used by the runs between."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.lifeline import stamp
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.lifecycle.resolve import running_server, start_any
from perf_pipeline.servers.lifecycle.started import (
    StartedServer,
    forget_started,
    only_one,
    read_started,
    write_started,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer
    from perf_pipeline.servers.server import Server

_STOP_S = 30.0
_POLL_S = 0.02


def start_servers(
    settings: Settings, services: Iterable[str], notify: Callable[[str], None]
) -> list[Server]:
    """Start servers that outlive this process, until ``stop_servers``.

    One that runs already, or that the settings name, is returned as it is.

    Args:
        settings: Where things are.
        services: What to start; what cannot be had is left out.
        notify: Called for each that is left out, with the reason and how to get it.

    Returns:
        Those that run now: at least one.

    Raises:
        ServiceUnavailableError: With a sentence for each: none can be had.
    """
    servers, missing = [], []
    ports = free_ports(random.SystemRandom(), ephemeral_range())
    with only_one(settings.state_dir):
        for service in services:
            try:
                running, notes = running_server(settings, service)
                if running is None:
                    _end_replaced(settings, service)
                servers.append(running or _start_detached(settings, service, ports, notes))
            except ServiceUnavailableError as error:
                missing.append(f"{service} is left out. {error}")
    if missing and not servers:
        raise ServiceUnavailableError("\n".join(missing))
    for sentence in missing:
        notify(sentence)
    return servers


def stop_servers(settings: Settings, services: Iterable[str]) -> list[str]:
    """Stop what ``start_servers`` left running, and remove its data.

    Returns:
        The services that were stopped.

    Raises:
        PerfPipelineError: One does not end.
    """
    stopped = []
    with only_one(settings.state_dir):
        for service in services:
            started = read_started(settings.state_dir, service)
            if started is not None and started.guardian.is_alive():
                _end_guardian(started)
                stopped.append(service)
            forget_started(settings.state_dir, service)
    return stopped


def _end_replaced(settings: Settings, service: str) -> None:
    """End the guardian of a server that was killed or hangs: its note gives way to another's."""
    started = read_started(settings.state_dir, service)
    if started is not None and started.guardian.is_alive():
        _end_guardian(started)
    forget_started(settings.state_dir, service)


def _start_detached(
    settings: Settings, service: str, ports: Iterator[int], notes: list[str]
) -> Server:
    embedded, more_notes = start_any(settings, service, ports)
    with ExitStack() as undo:
        undo.callback(embedded.stop)
        undo.callback(forget_started, settings.state_dir, service)
        # Noted before it is detached: if we are killed in between, it ends with us.
        write_started(settings.state_dir, _note(embedded))
        embedded.detach()
        undo.pop_all()
    return replace(embedded.server, notes=(*notes, *more_notes))


def _note(embedded: EmbeddedServer) -> StartedServer:
    server = embedded.server
    guardian, main_process = stamp(embedded.guardian_pid), stamp(server.pids[0])
    if guardian is None or main_process is None:
        raise ServiceUnavailableError(f"the {server.service} server ended after its first answer")
    return StartedServer(server.service, server.url, guardian, main_process, embedded.folder)


def _end_guardian(started: StartedServer) -> None:
    """Tell the guardian to clear away, and wait until it has."""
    os.kill(started.guardian.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while started.guardian.is_alive():
        if time.monotonic() > deadline:
            raise PerfPipelineError(
                f"the guardian {started.guardian.pid} of the {started.service} server does not "
                f"end within {_STOP_S:g} s.\nEnd it with `kill -9 {started.guardian.pid}`: its "
                f"server ends with it; then remove {started.folder}.",
            )
        time.sleep(_POLL_S)
    if started.folder.exists():
        raise PerfPipelineError(
            f"{started.folder} of the {started.service} server was not removed.\n"
            "Remove it with the clearing op or by hand; no server uses it any more.",
        )
