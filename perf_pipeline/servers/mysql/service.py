"""MySQL or MariaDB as a service: its programs, how one is started, and how it is identified."""

from __future__ import annotations

import secrets
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.lifecycle.unpacked import library_prefix, unpacked_root
from perf_pipeline.servers.mysql import data as storage
from perf_pipeline.servers.mysql.address import complete_url, tcp_addresses
from perf_pipeline.servers.mysql.probe import MysqlProbe
from perf_pipeline.servers.mysql.session import session
from perf_pipeline.servers.mysql.system_tables import mariadb_tables, mysql_tables, own_folders
from perf_pipeline.servers.server import Facts
from perf_pipeline.servers.service import Installation, Launch, NotAnsweringError

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

NAME = "mysql"
PACKAGE = "mariadb-server-core"
DEBIAN_PACKAGE: str | None = PACKAGE
HOW_TO_INSTALL = (
    f"`apt-get install {PACKAGE}`, or without root "
    f"`python -m perf_pipeline.servers.lifecycle.debian {PACKAGE}`"
)
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/libexec", "/usr/local/sbin")
"""Where servers are installed, and PATH of an ordinary user does not lead."""

_MARIADB = "mariadbd"
_PROGRAMS = ("mysqld", _MARIADB)
_DATABASE = _USER = "perf_pipeline"

_OPTIONS = {
    "bind-address": LOOPBACK,
    "socket": "",  # no second way in, and no limit on the length of the folder's path
    "max-connections": "500",
    "innodb-buffer-pool-size": "256M",
    "character-set-server": "utf8mb4",
    "skip-name-resolve": "ON",
}
"""What differs from the defaults; durability is as users have it. Connections and memory are
those of the PostgreSQL beside it: the framework that this project replaces gave no figures."""

_OPTIONS_MYSQL = {"mysqlx": "OFF", "secure-file-priv": "NULL", "skip-log-bin": "ON"}
"""What else MySQL needs to keep to its folder, and to write no more log than MariaDB does."""

_FACTS = [
    "version",
    "version_comment",
    "max_connections",
    "innodb_buffer_pool_size",
    "innodb_flush_log_at_trx_commit",
    "innodb_doublewrite",
    "innodb_flush_method",
    "innodb_log_file_size",
    "innodb_redo_log_capacity",
    "log_bin",
    "sync_binlog",
    "performance_schema",
    "query_cache_type",
    "thread_handling",
    "transaction_isolation",
    "tx_isolation",
    "character_set_server",
    "sql_mode",
]


def installations(settings: Settings) -> list[Installation]:
    """Find the programs: on PATH, where systems keep servers, in the cache of unpacked packages.

    Args:
        settings: Name the folders to look in.
    """
    unpacked = unpacked_root(settings.cache_dir, PACKAGE) / "usr/sbin"
    folders = [settings.search_path, *SYSTEM_FOLDERS, str(unpacked)]
    found = [shutil.which(name, path=folder) for folder in folders for name in _PROGRAMS]
    # Debian's mysqld is a link to mariadbd.
    programs = dict.fromkeys(Path(path).resolve() for path in found if path)
    return [Installation("machine", program) for program in programs]


def launch(installation: Installation, folder: Path, port: int) -> Launch:
    """Return how to start a server on a loopback port with its data in ``folder / "data"``.

    Its only user is ours, with a password; what every installation begins with is dropped.
    """
    program, password = installation.program, secrets.token_urlsafe(24)
    mariadb = program.name == _MARIADB
    command = [*library_prefix(program), str(program), "--no-defaults", f"--datadir={folder}/data"]
    # A starting server removes what looks like a dead one's from the temporary folder, so that two
    # would remove each other's from a common one.
    command += [f"--tmpdir={folder}", *own_folders(program)]
    options = {**_OPTIONS, **({} if mariadb else _OPTIONS_MYSQL), "port": str(port)}
    serve = [f"--{name}={value}" for name, value in options.items()]
    return Launch(
        url=f"mysql://{_USER}:{password}@{LOOPBACK}:{port}/{_DATABASE}",
        files={"setup.sql": _setup(password)},
        prepare=mariadb_tables(program, command) if mariadb else mysql_tables(command),
        serve=[*command, *serve, f"--init-file={folder}/setup.sql"],
        stop_signal=signal.SIGKILL,  # the data go with the folder; InnoDB repairs them on restart
        lock_file=None,
    )


def identify(url: str, timeout_s: float) -> Facts:
    """Ask a server what it is.

    Raises:
        NotAnsweringError: It did not answer, or not well.
    """
    with session(url, timeout_s) as cursor:
        cursor.execute("SHOW GLOBAL VARIABLES WHERE Variable_name IN %s", [_FACTS])
        values = {str(name): str(value) for name, value in cursor.fetchall()}
    settings = {name: values[name] for name in _FACTS if name in values}
    version = settings.get("version", "")
    if "MariaDB" in version:
        product = "MariaDB"
    else:
        percona = settings.get("version_comment", "").startswith("Percona")
        product = "Percona Server" if percona else "MySQL"
    limit = settings.get("max_connections")
    return Facts(
        product=product,
        version=version.partition("-")[0],
        settings=settings,
        max_connections=int(limit) if limit is not None else None,
    )


def data_folder(url: str, timeout_s: float) -> str:
    """Ask a server where its data are.

    Raises:
        NotAnsweringError: It did not answer.
    """
    with session(url, timeout_s) as cursor:
        cursor.execute("SELECT @@datadir")
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def connection_count(url: str, timeout_s: float) -> int:
    """Count the connections of all programs to a server, without the one that asks.

    Raises:
        NotAnsweringError: It did not answer.
    """
    with session(url, timeout_s) as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Threads_connected'")
        row = cursor.fetchone()
    if row is None:
        raise NotAnsweringError("it does not report how many connections it has")
    return int(row[1]) - 1


def open_probe(url: str, connection_name: str) -> MysqlProbe:
    """Make the probe of a server; nothing is opened yet."""
    return MysqlProbe(url, connection_name)


def _setup(password: str) -> str:
    """Return what the server executes each time before it listens."""
    roots = ", ".join(f"'root'@'{host}'" for host in (LOOPBACK, "::1", "localhost"))
    user = f"'{_USER}'@'{LOOPBACK}'"
    return (
        f"CREATE DATABASE IF NOT EXISTS {_DATABASE};\n"
        f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{password}';\n"
        f"GRANT ALL PRIVILEGES ON *.* TO {user} WITH GRANT OPTION;\n"
        f"DROP USER IF EXISTS {roots};\n"
    )
