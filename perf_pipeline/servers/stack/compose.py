"""Docker Compose as a program: the plug-in of ``docker``, or ``docker-compose`` 2 on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.settings import Settings

_ASK_S = 30.0
_FIRST_VERSION = 2
_TAIL_LINES = 6


class ComposeError(PerfPipelineError):
    """Compose is missing, or refused; the text has what it wrote last."""


def compose(
    settings: Settings, profiles: Sequence[str], words: Sequence[str], *, timeout_s: float
) -> str:
    """Run Compose on this project's stack.

    Args:
        settings: Name the stack, its files and where programs are.
        profiles: Parts of the stack that it is about.
        words: What it is to do.
        timeout_s: How long that may take.

    Returns:
        What it printed.

    Raises:
        ComposeError: There is no Compose, or it failed.
    """
    stack = settings.stack
    command = [*_program(settings), "--project-name", stack.name]
    for file in stack.files:
        command += ["--file", str(file)]
    if stack.env_file.exists():
        command += ["--env-file", str(stack.env_file)]
    for profile in profiles:
        command += ["--profile", profile]
    try:
        command += ["--progress", "quiet", *words]
        done = _run(command, timeout_s, {**_engine_variables(settings), **os.environ})
    except subprocess.TimeoutExpired as error:
        raise ComposeError(
            f"docker compose {' '.join(words)} did not end within {timeout_s:g} s"
        ) from error
    if done.returncode != 0:
        tail = "\n".join(done.stderr.strip().splitlines()[-_TAIL_LINES:])
        raise ComposeError(
            f"docker compose {' '.join(words)} failed with exit code {done.returncode}:\n{tail}"
        )
    return done.stdout


def _program(settings: Settings) -> list[str]:
    for words in (["docker", "compose"], ["docker-compose"]):
        found = shutil.which(words[0], path=settings.search_path)
        if found is not None and _is_new_enough([found, *words[1:]]):
            return [found, *words[1:]]
    raise ComposeError(
        "Docker Compose 2 was not found: neither `docker compose` nor `docker-compose`.\n"
        "Get it from https://docs.docker.com/compose/install/ (Debian 13: apt-get install "
        "docker-compose); without it, `perf-pipeline start` starts servers of this machine."
    )


def _is_new_enough(program: list[str]) -> bool:
    try:
        told = _run([*program, "version", "--short"], _ASK_S)
    except subprocess.TimeoutExpired:
        return False
    major = told.stdout.strip().removeprefix("v").partition(".")[0]
    return told.returncode == 0 and major.isdecimal() and int(major) >= _FIRST_VERSION


def _engine_variables(settings: Settings) -> dict[str, str]:
    """Return what services that talk to the engine need: its socket, and who may use it."""
    socket = settings.stack.docker_socket
    if socket is None or not socket.is_socket():
        return {}
    group = socket.stat().st_gid
    return {"PERF_PIPELINE_DOCKER_SOCKET": str(socket), "PERF_PIPELINE_DOCKER_GID": str(group)}


def _run(
    command: list[str], timeout_s: float, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
