"""The servers of the running Compose stack, found by one question to the Docker engine.

It is asked at the start of every run, so it costs nothing where there is no engine; docker-py and
``docker compose ps`` take tenths of a second. An engine beside a load takes 0.06 s and more, and a
run that did not wait for it would measure another server than that of the stack.
"""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from perf_pipeline.redaction.redact import remember_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from perf_pipeline.config.stack_settings import StackSettings

ANSWER_S = 1.0
_PROJECT_LABEL, _SERVICE_LABEL = "com.docker.compose.project", "com.docker.compose.service"
_URLS = {
    "postgres": (5432, "postgresql://perf_user:{password}@{address}/perf_pipeline"),
    "mysql": (3306, "mysql://perf_user:{password}@{address}/perf_pipeline"),
    "redis": (6379, "redis://:{password}@{address}/0"),
    "mongodb": (27017, "mongodb://perf_user:{password}@{address}/perf_pipeline?authSource=admin"),
}
"""Service to its port in the container, and to its URL; users and databases as infra/ has them."""


@dataclass(frozen=True)
class StackServers:
    """What runs of the stack.

    Attributes:
        urls: Service to the URL of its running container; with the password.
        containers: Service of the Compose file to the id of its container, running or not.
        not_running: Service to what its container is instead: ``exited``, ``paused``, ...
        why_not: Why the stack could not be looked for; empty if it could.
        is_slow: The engine is there and did not answer in time: nobody knows what runs.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    containers: Mapping[str, str] = field(default_factory=dict)
    not_running: Mapping[str, str] = field(default_factory=dict)
    why_not: str = ""
    is_slow: bool = False


class _EngineConnection(http.client.HTTPConnection):
    """HTTP over the engine's socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def running_stack(settings: StackSettings) -> StackServers:
    """Return the servers of the stack that run now."""
    if settings.docker_socket is None:
        return StackServers()
    try:
        passwords = _passwords(settings.env_file)
    except OSError:
        return StackServers(why_not=f"{settings.env_file} cannot be read; `make setup` writes it")
    try:
        listed = _containers(settings.docker_socket, settings.name)
        return _servers(listed, passwords)
    except TimeoutError:
        return StackServers(
            why_not=f"the Docker engine at {settings.docker_socket} did not answer within "
            f"{ANSWER_S:g} s",
            is_slow=True,
        )
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError) as error:
        why = getattr(error, "strerror", None) or error
        return StackServers(why_not=f"no Docker engine answers at {settings.docker_socket}: {why}")


def _containers(engine: Path, project: str) -> list[dict[str, Any]]:
    connection = _EngineConnection(engine)
    filters = json.dumps({"label": [f"{_PROJECT_LABEL}={project}"]})
    try:
        connection.request("GET", f"/containers/json?{urlencode({'all': 1, 'filters': filters})}")
        answer = connection.getresponse()
        if answer.status != HTTPStatus.OK:
            raise ValueError(f"status {answer.status}")
        found: list[dict[str, Any]] = json.loads(answer.read())
    finally:
        connection.close()
    return found


def _servers(listed: Iterable[Mapping[str, Any]], passwords: Mapping[str, str]) -> StackServers:
    urls, containers, not_running = {}, {}, {}
    for one in listed:
        service = one["Labels"].get(_SERVICE_LABEL, "")
        containers[service] = one["Id"]
        if one["State"] != "running":
            not_running[service] = one["State"]
        elif service in _URLS and service in passwords:
            port, form = _URLS[service]
            published = [
                f"{bound['IP']}:{bound['PublicPort']}"
                for bound in one["Ports"]
                if bound["PrivatePort"] == port and "PublicPort" in bound and ":" not in bound["IP"]
            ]
            if published:
                password = quote(passwords[service], safe="")
                urls[service] = form.format(password=password, address=published[0])
    return StackServers(urls, containers, not_running)


def _passwords(env_file: Path) -> dict[str, str]:
    """Return the password of each service in the env file, and have them redacted from now on."""
    found = {}
    for text in env_file.read_text(encoding="utf-8").splitlines():
        name, equals, value = text.strip().partition("=")
        service = name.removeprefix("PERF_PIPELINE_").removesuffix("_PASSWORD").lower()
        if equals and name.endswith("_PASSWORD") and service in _URLS:
            found[service] = value.strip().strip("'\"")
    remember_secrets(found.values())
    return found
