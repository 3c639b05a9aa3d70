"""What servers leave on a machine while they run, and should not leave afterwards."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from perf_pipeline.servers.lifecycle.embedded import start_embedded
from perf_pipeline.servers.lifecycle.launch_spec import FOLDER_PREFIX
from perf_pipeline.servers.lifecycle.port import ephemeral_range, free_ports
from perf_pipeline.servers.lifecycle.unprivileged import unprivileged
from perf_pipeline.servers.mongodb.session import session as mongodb_session
from perf_pipeline.servers.mysql.session import session as mysql_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perf_pipeline.servers.lifecycle.embedded import EmbeddedServer
    from perf_pipeline.servers.lifecycle.unprivileged import UserSwitch
    from perf_pipeline.servers.server import Server
    from perf_pipeline.servers.service import Installation, Service


def port_of(url: str) -> int:
    """Return the port of a server's URL."""
    return int(url.rpartition(":")[2].partition("/")[0])


def folders_in(folder: Path) -> list[Path]:
    """Return the folders of servers of ours."""
    return sorted(folder.glob(f"{FOLDER_PREFIX}*"))


def segment_of(folder: Path) -> str:
    """Return the id of the System V segment of the PostgreSQL in a folder of ours."""
    lines = (folder / "data/postmaster.pid").read_text(encoding="ascii").splitlines()
    segment = lines[6].split()[-1]
    assert segment_exists(segment)
    return segment


def segment_exists(segment: str) -> bool:
    """Return whether there is a System V segment with that id."""
    lines = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    return segment in {line.split()[1] for line in lines}


def schemas(url: str) -> set[str]:
    """Return the schemas of a database."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace").fetchall()
    return {name for (name,) in rows}


def names_on(servers: Mapping[str, Server]) -> set[str]:
    """Return what has a name on the servers: schemas, tables and collections, by service."""
    with mysql_session(servers["mysql"].url, 5.0) as cursor:
        cursor.execute("SHOW TABLES")
        tables = {name for (name,) in cursor.fetchall()}
    with mongodb_session(servers["mongodb"].url, 5.0) as client:
        collections = client.get_default_database().list_collection_names()
    return {
        *(f"postgres {name}" for name in schemas(servers["postgres"].url)),
        *(f"mysql {name}" for name in tables),
        *(f"mongodb {name}" for name in collections),
    }


def some_ports(first: int | None = None) -> list[int]:
    """Return a few ports to try: the given one, then free ones."""
    drawn = free_ports(random.SystemRandom(), ephemeral_range())
    return [*([] if first is None else [first]), *(next(drawn) for _ in range(4))]


def start(
    service: Service,
    installation: Installation,
    folder: Path,
    *,
    ports: Iterable[int] = (),
    as_user: UserSwitch | None = None,
) -> EmbeddedServer:
    """Start a server of an installation, with its folder in ``folder``."""
    return start_embedded(
        service,
        installation,
        folder,
        list(ports) or some_ports(),
        as_user=as_user or unprivileged(),
    )
