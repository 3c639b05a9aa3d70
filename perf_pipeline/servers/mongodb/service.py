"""MongoDB, or what speaks its protocol, as a service: programs, how one is started, identified."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pymongo.errors import OperationFailure

from perf_pipeline.servers.lifecycle.launch_spec import FOLDER_PREFIX
from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.mongodb import data as storage
from perf_pipeline.servers.mongodb import ferretdb
from perf_pipeline.servers.mongodb.address import complete_url, tcp_addresses
from perf_pipeline.servers.mongodb.probe import MongodbProbe
from perf_pipeline.servers.mongodb.session import (
    HIDDEN,
    OWN_CONNECTIONS,
    STAND_IN_PROCESS,
    UNAUTHORIZED,
    is_stand_in,
    server_status,
    session,
)
from perf_pipeline.servers.server import Facts
from perf_pipeline.servers.service import Installation, Launch

if TYPE_CHECKING:
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

NAME = "mongodb"
HOW_TO_INSTALL = (
    "put a `mongod` on PATH (Debian has no package of it); where Go is installed, `make ferretdb` "
    "builds FerretDB, which speaks its protocol"
)
DEBIAN_PACKAGE: str | None = None
STAND_IN = "nx-27017"
"""Speaks MongoDB's protocol and stores in SQLite: it shows whether workflows work, not how fast."""

_DATABASE = "perf_pipeline"
_MONGOD_PROCESSES = ("mongod", "mongos")
_RUN_STAND_IN = "from nx_27017 import main; main()"

_OPTIONS = {
    "bind_ip": LOOPBACK,
    "wiredTigerCacheSizeGB": "0.25",  # as much as the other servers get to keep data in
}
"""What differs from mongod's defaults; durability and compression are as users have them."""


def installations(settings: Settings) -> list[Installation]:
    """Find ``mongod`` on PATH, then FerretDB; where the settings allow it, the stand-in after them.

    Args:
        settings: Name the folders to look in, and the stand-in.
    """
    found = shutil.which("mongod", path=settings.search_path)
    candidates = [Installation("machine", Path(found).resolve())] if found else []
    if (program := ferretdb.installed(settings)) is not None:
        candidates.append(Installation("machine", program))
    if settings.mongodb_stand_in == STAND_IN:
        package = find_spec(STAND_IN_PROCESS)
        if package is not None and package.origin is not None:
            candidates.append(Installation("bundle", Path(package.origin)))
    return candidates


def launch(installation: Installation, folder: Path, port: int) -> Launch:
    """Return how to start a server on a loopback port with its data in ``folder / "data"``.

    It has no password: local users can read and write its data, but run no program through it.
    """
    if installation.source == "bundle":
        serve = [
            *(sys.executable, "-P", "-c", _RUN_STAND_IN, "--host", LOOPBACK, "-p", str(port)),
            *("--data-dir", f"{folder}/data", "--threaded"),
            *("--pid-file", f"{folder}/pid", "--log-file", f"{folder}/nx.log"),
        ]
    elif installation.program.name == ferretdb.PROGRAM:
        serve = ferretdb.serve(installation.program, folder, port)
    else:
        options = {**_OPTIONS, "port": str(port), "dbpath": f"{folder}/data"}
        serve = [
            str(installation.program),
            *(part for name, value in options.items() for part in (f"--{name}", value)),
            *("--nounixsocket", "--noscripting"),
        ]
    return Launch(
        url=f"mongodb://{LOOPBACK}:{port}/{_DATABASE}",
        files={},
        prepare=[],
        serve=serve,
        stop_signal=signal.SIGKILL,  # the data go with the folder; the journal repairs them
        lock_file=None,
    )


def identify(url: str, timeout_s: float) -> Facts:
    """Ask a server what it is.

    Raises:
        NotAnsweringError: It did not answer, or this user may not know.
    """
    with session(url, timeout_s) as client:
        try:
            status = client.admin.command("serverStatus")
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
            version_text = client.admin.command("buildInfo").get("version", "unknown")
            return Facts("MongoDB", str(version_text), {"settings": f"hidden: {HIDDEN}"}, None)
    process = str(status.get("process", "")).rpartition("/")[2]
    if ferretdb.is_ferretdb(status):
        return ferretdb.facts_of(status)
    if is_stand_in(status):
        return _stand_in_facts(status)
    engine = status.get("storageEngine", {}).get("name")
    cache_bytes = status.get("wiredTiger", {}).get("cache", {}).get("maximum bytes configured")
    settings = {"process": process, "storage_engine": engine, "cache_bytes": cache_bytes}
    count = status.get("connections", {})
    is_bounded = {"current", "available"} <= set(count)
    return Facts(
        # Others speak its protocol too: they are called what their process is called.
        product="MongoDB" if process in _MONGOD_PROCESSES else process or "unnamed server",
        version=str(status.get("version", "unknown")),
        settings={name: str(value) for name, value in settings.items() if value is not None},
        max_connections=count["current"] + count["available"] if is_bounded else None,
    )


def data_folder(url: str, timeout_s: float) -> str:
    """Ask a server where its data are.

    Raises:
        NotAnsweringError: It did not answer, or this user may not know.
    """
    status = server_status(url, timeout_s)
    if is_stand_in(status) or ferretdb.is_ferretdb(status):
        return _folder_of(status)
    with session(url, timeout_s) as client:
        answer = client.admin.command("getCmdLineOpts")
    return str(answer.get("parsed", {}).get("storage", {}).get("dbPath", ""))


def connection_count(url: str, timeout_s: float) -> int:
    """Count the connections of all programs to a server, without those of the one that asks.

    Raises:
        NotAnsweringError: It did not answer, or this user may not know.
    """
    with session(url, timeout_s) as client:
        status = client.admin.command("serverStatus")
        if ferretdb.is_ferretdb(status):
            return ferretdb.open_connections(url) - OWN_CONNECTIONS
    return int(status["connections"]["current"]) - OWN_CONNECTIONS


def open_probe(url: str, connection_name: str) -> MongodbProbe:
    """Make the probe of a server; nothing is opened yet."""
    return MongodbProbe(url, connection_name)


def _stand_in_facts(status: dict[str, Any]) -> Facts:
    """Name the stand-in; it does not report its version, so only that of ours is known."""
    ours = FOLDER_PREFIX in _folder_of(status)
    number = version(STAND_IN) if ours else "of unknown version"
    return Facts(
        product=STAND_IN,
        version=f"{number} (MongoDB wire, SQLite)",
        settings={"stands_in_for": "MongoDB", "claims_version": str(status.get("version"))},
        max_connections=None,  # it has no limit
        stand_in=True,
    )


def _folder_of(status: dict[str, Any]) -> str:
    """Return the folder in which a server runs; empty if it is not on this machine."""
    try:
        return os.readlink(f"/proc/{status['pid']}/cwd")  # noqa: PTH115 - may name a removed folder
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return ""
