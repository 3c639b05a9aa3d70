"""FerretDB: MongoDB's protocol over SQLite or PostgreSQL; where it is found, what it is.

It is an engine of its own under its own name: its figures say nothing about MongoDB's speed. It
does not report its connections, so the kernel counts them where it listens on loopback.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.mongodb.address import tcp_addresses
from perf_pipeline.servers.server import Facts
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

PROGRAM = "ferretdb"
"""Its program, and what its ``serverStatus`` calls its process."""

VERSION = "v1.24.2"
"""What ``make ferretdb`` builds: the last with SQLite; 2 needs PostgreSQL with DocumentDB."""

_BACKENDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_SOCKETS, _ESTABLISHED = ("tcp", "tcp6"), "01"
"""The kernel's tables of sockets, and a state in them; proc(5)."""


def installed(settings: Settings) -> Path | None:
    """Return the program: on PATH, else the one that was built into the cache."""
    path = f"{settings.search_path}:{built_folder(settings.cache_dir)}"
    found = shutil.which(PROGRAM, path=path)
    return Path(found).resolve() if found else None


def built_folder(cache_dir: Path) -> Path:
    """Return the folder that it is built into; it may not exist."""
    return cache_dir / PROGRAM / VERSION


def serve(program: Path, folder: Path, port: int) -> list[str]:
    """Return the command of a server over SQLite; it listens nowhere else and reports to nobody."""
    options = {
        "handler": "sqlite",
        "state-dir": folder,
        "sqlite-url": f"file:{folder}/data/",
        "listen-addr": f"{LOOPBACK}:{port}",
        "debug-addr": "-",
        "telemetry": "disable",
        "log-level": "ERROR",
    }
    return [str(program), *(f"--{name}={value}" for name, value in options.items())]


def is_ferretdb(status: dict[str, Any]) -> bool:
    """Return whether the server of a ``serverStatus`` is FerretDB."""
    return str(status.get("process", "")).rpartition("/")[2] == PROGRAM


def facts_of(status: dict[str, Any]) -> Facts:
    """Return what FerretDB is; what it stores in is known on this machine alone."""
    number = str(status.get("ferretdbVersion", "of unknown version")).removeprefix("v")
    backend = _backend(status.get("pid"))
    return Facts(
        product="FerretDB",
        version=f"{number} ({backend})" if backend else number,
        settings={"stands_in_for": "MongoDB", "claims_version": str(status.get("version"))},
        max_connections=None,  # it has no limit
        stand_in=True,
    )


def open_connections(url: str) -> int:
    """Count the connections to a FerretDB, those of the caller among them.

    Raises:
        NotAnsweringError: It does not listen on loopback.
    """
    addresses = tcp_addresses(url)
    if not all(_is_loopback(host) for host, _ in addresses):
        raise NotAnsweringError("FerretDB does not report its connections, and is not on loopback")
    ports = {port for _, port in addresses}
    count = 0
    for table in _SOCKETS:
        with suppress(FileNotFoundError):  # a kernel without IPv6
            for line in Path("/proc/self/net", table).read_text(encoding="ascii").splitlines()[1:]:
                _, local, _, state, _ = line.split(maxsplit=4)
                count += state == _ESTABLISHED and int(local.rpartition(":")[2], 16) in ports
    return count


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _backend(pid: object) -> str:
    """Return what a server on this machine stores in, by its command; empty if it is not known."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    if Path(words[0]).name != PROGRAM:
        return ""
    handlers = [word.partition("=")[2] for word in words if word.startswith("--handler=")]
    return _BACKENDS.get(handlers[-1], "") if handlers else ""
