"""Servers that ``perf-pipeline start`` left running: their files, and how they are ended.

A file is believed only if the processes that it names live and are the very ones that were started.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.held_folder import read_own
from perf_pipeline.lifeline import ProcessStamp
from perf_pipeline.redaction.redact import remember_url
from perf_pipeline.servers.lifecycle.started_server import started_server

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from perf_pipeline.config.settings import Settings

_STOP_S = 30.0
_POLL_S = 0.02


@dataclass(frozen=True)
class PersistentServer:
    """One server that outlived the command that started it.

    Attributes:
        service: Name of the service.
        url: With its password, hence the file's mode.
        guardian: Ends it upon SIGTERM.
        server: Its main process when it was started.
        folder: Where its data are.
    """

    service: str
    url: str
    guardian: ProcessStamp
    server: ProcessStamp
    folder: Path

    def __post_init__(self) -> None:
        """Have the password removed from every text of this process from now on."""
        remember_url(self.url)

    def is_alive(self) -> bool:
        """Return whether its guardian and its server live, started again or not."""
        if not self.guardian.is_alive():
            return False
        started = started_server(self.folder)
        is_again = started is not None and started.main_process() is not None
        return self.server.is_alive() or is_again


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Let one process at a time start, stop or clear persistent servers; others wait for it."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    # No link is followed: root may have been given another user's folder.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    lock = os.open(state_dir / "servers.lock", flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write_persistent(state_dir: Path, server: PersistentServer) -> None:
    """Write the file of a server, for the user alone to read, whole or not at all."""
    path = _path(state_dir, server.service)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {
        "service": server.service,
        "url": server.url,
        "guardian": list(server.guardian),
        "server": list(server.server),
        "folder": str(server.folder),
    }
    write_private(path, json.dumps(values))


def read_persistent(state_dir: Path, service: str) -> PersistentServer | None:
    """Return a service's persistent server, alive or not; None if there is no valid file of one.

    A file of another user is none: it names processes that would be ended.
    """
    try:
        values = json.loads(read_own(_path(state_dir, service)) or "")
        return PersistentServer(
            service=values["service"],
            url=values["url"],
            guardian=ProcessStamp.from_json(values["guardian"]),
            server=ProcessStamp.from_json(values["server"]),
            folder=Path(values["folder"]),
        )
    except (ValueError, KeyError, TypeError):
        return None  # no file, or none that we wrote


def forget_persistent(state_dir: Path, service: str) -> None:
    """Remove the file of a server; a file that does not exist is fine."""
    _path(state_dir, service).unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    half = path.with_suffix(f".{os.getpid()}")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    half.replace(path)


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
            server = read_persistent(settings.state_dir, service)
            if server is not None and server.guardian.is_alive():
                _end_guardian(server)
                stopped.append(service)
            forget_persistent(settings.state_dir, service)
    return stopped


def end_replaced(settings: Settings, service: str) -> None:
    """End the guardian of a server that was killed or hangs: another server takes its place."""
    server = read_persistent(settings.state_dir, service)
    if server is not None and server.guardian.is_alive():
        _end_guardian(server)
    forget_persistent(settings.state_dir, service)


def _end_guardian(server: PersistentServer) -> None:
    """Make the guardian stop its server and remove the folder, and wait until it has."""
    os.kill(server.guardian.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_S
    while server.guardian.is_alive():
        if time.monotonic() > deadline:
            raise PerfPipelineError(
                f"the guardian {server.guardian.pid} of the {server.service} server does not "
                f"end within {_STOP_S:g} s.\nEnd it with `kill -9 {server.guardian.pid}`: its "
                f"server ends with it; then remove {server.folder}.",
            )
        time.sleep(_POLL_S)
    if server.folder.exists():
        raise PerfPipelineError(
            f"{server.folder} of the {server.service} server was not removed.\n"
            "Remove it with the clearing op or by hand; no server uses it any more.",
        )


def _path(state_dir: Path, service: str) -> Path:
    return state_dir / "servers" / f"{service}.json"
