"""A server that is a container of the running stack, with what the engine says of the container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.manifest import ContainerRecord
from perf_pipeline.servers.server import Server
from perf_pipeline.servers.service import NotAnsweringError, find_service
from perf_pipeline.servers.stack.docker_container import (
    ContainerGoneError,
    DockerContainer,
    EngineError,
    host_processes,
)
from perf_pipeline.servers.stack.running_stack import running_stack

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.stack_settings import StackSettings

_ANSWER_S = 5.0


def stack_server(settings: StackSettings, service: str) -> tuple[Server | None, list[str]]:
    """Return the server of a service that the running stack has, and why one was not used.

    A stack that does not run, and a machine without Docker, are no reason to say anything.
    """
    stack = running_stack(settings)
    if stack.is_slow:
        return None, [f"{stack.why_not}: a server of a running stack was not looked for"]
    if service in stack.not_running:
        return None, [
            f"the {service} container of the stack {settings.name} is {stack.not_running[service]}"
        ]
    url = stack.urls.get(service)
    if url is None or settings.docker_socket is None:
        return None, []
    try:
        facts = find_service(service).identify(url, _ANSWER_S)
        record, pid = _record(settings.docker_socket, stack.containers[service])
    except NotAnsweringError as error:
        return None, [f"the {service} server of the running stack does not answer ({error})"]
    except (ContainerGoneError, EngineError) as error:
        return None, [f"the {service} server of the running stack was not used: {error}"]
    pids = host_processes(pid, record.id)
    return Server(service, url, "stack", facts, pids=pids, container=record), []


def _record(engine: Path, container_id: str) -> tuple[ContainerRecord, int]:
    """Return what the manifest has of a container, and its main process."""
    now = DockerContainer(str(engine), container_id).inspect()
    record = ContainerRecord(
        engine=str(engine),
        id=container_id,
        name=now.name,
        image=now.image,
        cpus=now.cpu.cpus,
        memory_bytes=now.memory_bytes or None,
    )
    return record, now.pid
