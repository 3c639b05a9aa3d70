"""One program of the monitoring: how it is found, started and recognised.

All of them serve ``/metrics`` with a series ``..._build_info``, which says the version.
"""

from __future__ import annotations

import re
import shutil
import signal
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import psutil

from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.lifecycle.unpacked import unpacked_root
from perf_pipeline.servers.server import Facts
from perf_pipeline.servers.service import Installation, Launch, NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.settings import Settings

UNPACKED = "monitoring"
"""Name of the folder in our cache that all packages of the monitoring are unpacked into."""


PRODUCTS = {
    "prometheus": ("Prometheus", "prometheus"),
    "alertmanager": ("Alertmanager", "alertmanager"),
    "node_exporter": ("node exporter", "node_exporter"),
    "redis_exporter": ("Redis exporter", "redis_exporter"),
    "postgres_exporter": ("PostgreSQL exporter", "postgres_exporter"),
    "mysql_exporter": ("MySQL exporter", "mysqld_exporter"),
}
"""Name to what people call it, and what its series ``..._build_info`` begins with; in the order in
which people see them."""

_WATCHED = {
    "redis_exporter": "redis_up",
    "postgres_exporter": "pg_up",
    "mysql_exporter": "mysql_up",
}
"""Exporter to the series that is 0 while it does not reach the server that it watches."""


class MonitorAnswer(NamedTuple):
    """What a program of the monitoring answers.

    Attributes:
        facts: Its product and version.
        lost: The series by which an exporter says that it does not reach its server; empty where
            it does, and of what watches none.
    """

    facts: Facts
    lost: str


@dataclass
class Monitor:
    """One program, ready to be started; a ``Startable``.

    Attributes:
        NAME: Of ``PRODUCTS``, and of its file in the state folder.
        job: The job of Prometheus that scrapes it.
        program: Its file in ``bin``.
        options: Its arguments; ``{folder}`` and ``{address}`` are filled in.
        files: Name in its folder to text.
        links: Name in its folder to the folder that it leads to.
        environment: Variables for it, none of them secret: every user can read them.
    """

    NAME: str
    job: str
    program: str
    options: Sequence[str]
    files: Mapping[str, str]
    links: Mapping[str, Path]
    environment: Mapping[str, str]

    def launch(self, installation: Installation, folder: Path, port: int) -> Launch:
        """Return how to start it on a loopback port with its data in ``folder / "data"``."""
        address = f"{LOOPBACK}:{port}"
        options = [one.format(folder=folder, address=address) for one in self.options]
        variables = [
            f"{name}={value.format(folder=folder)}" for name, value in self.environment.items()
        ]
        return Launch(
            url=f"http://{address}",
            files=dict(self.files),
            prepare=[["ln", "-s", str(to), str(folder / name)] for name, to in self.links.items()],
            serve=["env", *variables, str(installation.program), *options],
            stop_signal=signal.SIGTERM,
            lock_file=None,
        )

    def identify(self, url: str, timeout_s: float) -> Facts:
        """Ask it for its version.

        Raises:
            NotAnsweringError: It did not answer, or is another program.
        """
        return ask_monitor(self.NAME, url, timeout_s).facts

    def data_folder(self, url: str, timeout_s: float) -> str:  # noqa: ARG002 - of the protocol
        """Return the folder in which the process works that listens there: ours, or another's.

        Raises:
            NotAnsweringError: No process that this user may look at listens there.
        """
        port = urlsplit(url).port
        for one in psutil.net_connections("tcp4"):
            if one.status != psutil.CONN_LISTEN or not one.laddr or one.pid is None:
                continue
            if one.laddr.port == port:
                return str(Path(f"/proc/{one.pid}/cwd").resolve())
        raise NotAnsweringError(f"no process that we may look at listens on port {port}")


def ask_monitor(name: str, url: str, timeout_s: float) -> MonitorAnswer:
    """Ask one of ``PRODUCTS`` for its version, and an exporter for its server.

    Raises:
        NotAnsweringError: It did not answer, or is another program.
    """
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=timeout_s) as answer:  # noqa: S310 - ours
            text = answer.read().decode()
    except (OSError, ValueError) as error:
        raise NotAnsweringError(str(error)) from error
    label, prefix = PRODUCTS[name]
    found = re.search(rf'^{prefix}_build_info\{{.*version="([^"]*)"', text, re.MULTILINE)
    if found is None:
        raise NotAnsweringError(f"its metrics have no {prefix}_build_info")
    series = _WATCHED.get(name)
    is_lost = series is not None and re.search(rf"^{series} 0$", text, re.MULTILINE)
    facts = Facts(label, found[1], {}, max_connections=None)
    return MonitorAnswer(facts, series if series and is_lost else "")


def find_program(settings: Settings, name: str) -> Installation | None:
    """Find a program of the monitoring: on PATH, then unpacked in our cache."""
    on_path = shutil.which(name, path=settings.search_path)
    if on_path is not None:
        return Installation("machine", Path(on_path).resolve())
    unpacked = unpacked_root(settings.cache_dir, UNPACKED) / "usr/bin" / name
    return Installation("machine", unpacked) if unpacked.exists() else None
