"""The Compose stack of this project: whose engine runs it, and where its passwords are."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "PERF_PIPELINE_STACK_NAME"
ENV_FILE = "PERF_PIPELINE_STACK_ENV"
FILES = "PERF_PIPELINE_STACK_FILES"
VARIABLES = (NAME, ENV_FILE, FILES)
_DOCKER_HOST = "DOCKER_HOST"
_DEFAULT_HOST = "unix:///var/run/docker.sock"
_UNIX = "unix://"


@dataclass(frozen=True)
class StackSettings:
    """Where the stack is looked for.

    Attributes:
        docker_socket: Socket of the Docker engine; None to look for no stack.
        name: Name of the Compose project.
        env_file: Has the passwords; written by ``make setup``.
        files: Compose files, each one changing those before it.
    """

    docker_socket: Path | None = None
    name: str = "perf_pipeline"
    env_file: Path = Path("/nonexistent")
    files: tuple[Path, ...] = ()


def read_stack_settings(environ: Mapping[str, str], here: Path, project: Path) -> StackSettings:
    """Read the settings.

    An engine that is reached otherwise than by a socket of this machine is another machine's: its
    containers are none of this one's servers.

    Args:
        environ: The environment.
        here: What relative paths are relative to.
        project: The root of the checkout, with its infra/.env.
    """
    host = environ.get(_DOCKER_HOST) or _DEFAULT_HOST
    given = environ.get(ENV_FILE)
    files = (environ.get(FILES) or str(project / "infra/compose.yaml")).split(os.pathsep)
    return StackSettings(
        docker_socket=Path(host.removeprefix(_UNIX)) if host.startswith(_UNIX) else None,
        name=environ.get(NAME) or "perf_pipeline",
        env_file=here / given if given else project / "infra/.env",
        files=tuple(here / file for file in files),
    )
