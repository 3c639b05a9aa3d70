"""Shelf as a service: how it is found, started, identified and watched; a ``Service``."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from perf_pipeline.config.services import ServiceSpec
from perf_pipeline.servers.probe import PROBE_S, ProbeSession
from perf_pipeline.servers.server import Facts
from perf_pipeline.servers.service import Installation, Launch
from perf_pipeline.servers.snapshot import ConnectionCounts, Counters, ServerSnapshot
from tests.integration.servers.shelf import data as storage
from tests.integration.servers.shelf.session import OURS, session

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from perf_pipeline.config.settings import Settings

__all__ = ["storage"]

SPEC = ServiceSpec(
    "shelf", "Shelf", "shelf://host:7000/0", drivers=("shelf_client/",), module=__name__
)
NAME = "shelf"
HOW_TO_INSTALL = "write a few dozen lines"
DEBIAN_PACKAGE = None


def installations(settings: Settings) -> list[Installation]:  # noqa: ARG001
    """Return the server beside this file."""
    return [Installation("machine", Path(__file__).with_name("shelf_server.py"))]


def launch(installation: Installation, folder: Path, port: int) -> Launch:  # noqa: ARG001
    """Return how to start one; its data end with it."""
    return Launch(
        url=f"shelf://127.0.0.1:{port}/0",
        files={},
        prepare=[],
        serve=[sys.executable, "-I", "-S", str(installation.program), str(port)],
        stop_signal=signal.SIGTERM,
        lock_file=None,
    )


def complete_url(url: str, current_dir: Path) -> str:  # noqa: ARG001
    """Return the URL: it has no options and names no files."""
    return url


def tcp_addresses(url: str) -> list[tuple[str, int]]:
    """Return where it answers."""
    parts = urlsplit(url)
    return [(parts.hostname or "", parts.port or 0)]


def identify(url: str, timeout_s: float) -> Facts:
    """Ask a server what it is."""
    with session(url, timeout_s) as ask:
        return Facts("Shelf", ask("list")["version"], settings={}, max_connections=None)


def data_folder(url: str, timeout_s: float) -> str:
    """Ask a server where it runs."""
    with session(url, timeout_s) as ask:
        return str(ask("list")["folder"])


def connection_count(url: str, timeout_s: float) -> int:
    """Count the connections of all programs, without this one."""
    with session(url, timeout_s) as ask:
        return len(ask("list")["names"]) - 1


def open_probe(url: str, connection_name: str) -> ShelfProbe:
    """Make the probe; nothing is opened yet."""
    return ShelfProbe(url, connection_name)


class ShelfProbe:
    """Asks a Shelf; see ``Probe``."""

    def __init__(self, url: str, name: str) -> None:
        self._name = name
        self._session = ProbeSession(partial(session, url, PROBE_S, OURS))

    def ask(self) -> ServerSnapshot:
        """Ask, in one request."""
        return self._session.ask(self._snapshot)

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _snapshot(self, ask: Callable[..., Any]) -> ServerSnapshot:
        found = ask("list")
        named = found["names"].count(self._name)
        counters = Counters(None, None, found["requests"], None, None, "requests")
        return ServerSnapshot(ConnectionCounts(named, None, None, None, "by name"), counters)
