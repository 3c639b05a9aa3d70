"""What the Docker engine knows of the stack: its containers, their health and their logs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from perf_pipeline.config.stack_settings import StackSettings

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
RUN_LABEL = "perf_pipeline.stack"
"""Of the containers of single runs, which are no services of the Compose file."""

_API_VERSION = "1.41"  # Docker 20.10
_ANSWER_S = 20.0


class StackEngineError(PerfPipelineError):
    """The engine does not answer, or refused."""


class StackEngine:
    """The engine of a stack; every method raises ``StackEngineError``."""

    def __init__(self, settings: StackSettings) -> None:
        """Name it; nothing is asked."""
        self._settings = settings

    def is_there(self) -> bool:
        """Return whether an engine may be asked at all: its socket exists on this machine."""
        socket = self._settings.docker_socket
        return socket is not None and socket.is_socket()

    def containers(self) -> list[dict[str, Any]]:
        """Return what the engine knows of each container of the stack, running or not."""
        found = self._labelled(PROJECT_LABEL)
        return [self._call("inspect_container", one["Id"]) for one in found]

    def volumes(self) -> list[str]:
        """Return the names of the stack's volumes."""
        filters = {"label": f"{PROJECT_LABEL}={self._settings.name}"}
        found = self._call("volumes", filters=filters)
        return [one["Name"] for one in found["Volumes"] or ()]

    def log_lines(self, container_id: str, lines: int) -> list[str]:
        """Return the end of a container's log."""
        text: bytes = self._call("logs", container_id, tail=lines)
        return text.decode("utf-8", errors="replace").splitlines()

    def remove_runs(self) -> int:
        """Remove the containers of single runs of the stack; return how many there were."""
        found = self._labelled(RUN_LABEL)
        for one in found:
            self._call("remove_container", one["Id"], force=True)
        return len(found)

    def _labelled(self, label: str) -> list[dict[str, Any]]:
        filters = {"label": f"{label}={self._settings.name}"}
        found: list[dict[str, Any]] = self._call("containers", all=True, filters=filters)
        return found

    def _call(self, method: str, *arguments: object, **options: object) -> Any:
        from docker import APIClient  # noqa: PLC0415 - 0.1 s, rarely needed
        from docker.errors import DockerException  # noqa: PLC0415 - as docker
        from requests.exceptions import RequestException  # noqa: PLC0415 - as docker

        socket = self._settings.docker_socket
        try:
            client = APIClient(f"unix://{socket}", version=_API_VERSION, timeout=_ANSWER_S)
            return getattr(client, method)(*arguments, **options)
        except (DockerException, RequestException, OSError) as error:
            raise StackEngineError(f"the Docker engine at {socket}: {error}") from error
