"""Servers that ``perf-pipeline start`` left running, as files that are believed only if true."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.lifeline import ProcessStamp

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class StartedServer:
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

    def is_alive(self) -> bool:
        """Say whether both processes are the very ones that were started."""
        return self.guardian.is_alive() and self.server.is_alive()


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Let one process at a time start, stop or clear away; others wait for it."""
    state_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (state_dir / "servers.lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write_started(state_dir: Path, started: StartedServer) -> None:
    """Note a server, for the user alone to read, whole or not at all."""
    path = _path(state_dir, started.service)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {
        "service": started.service,
        "url": started.url,
        "guardian": list(started.guardian),
        "server": list(started.server),
        "folder": str(started.folder),
    }
    write_private(path, json.dumps(values))


def read_started(state_dir: Path, service: str) -> StartedServer | None:
    """Return what is noted of a service's server, alive or not; None if nothing is."""
    try:
        values = json.loads(_path(state_dir, service).read_text(encoding="utf-8"))
        return StartedServer(
            service=values["service"],
            url=values["url"],
            guardian=ProcessStamp(*values["guardian"]),
            server=ProcessStamp(*values["server"]),
            folder=Path(values["folder"]),
        )
    except (FileNotFoundError, json.JSONDecodeError, KeyError, TypeError):
        return None  # none, or not one that we wrote: in both cases no server to believe in


def forget_started(state_dir: Path, service: str) -> None:
    """Remove the note; one that is not there is fine."""
    _path(state_dir, service).unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a file that only this user can read, whole or not at all."""
    half = path.with_suffix(f".{os.getpid()}")
    half.unlink(missing_ok=True)
    descriptor = os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    half.replace(path)


def _path(state_dir: Path, service: str) -> Path:
    return state_dir / "servers" / f"{service}.json"
