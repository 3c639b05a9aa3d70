"""The URL of a user's PostgreSQL, as libpq reads it in the user's session and workers must.

Worker processes have another HOME, another folder and none of the session's variables. So
everything that libpq would take from there is written into the URL: the values of PG* variables
and of a service, the host, the user and the database, and the paths of certificates and of the
file with passwords, absolute.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo, ConnStatus, PGconn

from perf_pipeline.servers.postgres.session_variables import (
    with_service,
    without_session_variables,
)
from perf_pipeline.servers.service import AddressError
from perf_pipeline.workload.sql_urls import postgres_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

_DEFAULT_FILES = {
    "sslrootcert": ".postgresql/root.crt",
    "sslcrl": ".postgresql/root.crl",
    "sslcert": ".postgresql/postgresql.crt",
    "sslkey": ".postgresql/postgresql.key",
    "passfile": ".pgpass",
}
"""What libpq looks for below HOME."""

_FILES = (*_DEFAULT_FILES, "sslcrldir")
_OURS = ("application_name", "fallback_application_name", "connect_timeout")
"""The harness gives every connection its name and its time limit."""

_PORT = 5432
_NOT_A_PATH = {"sslrootcert": "system"}
_UNKNOWN = re.compile(r'invalid URI query parameter: "(\w+)"')


def complete_url(url: str, current_dir: Path) -> str:
    """Return a URL that means the same to a worker as the given one does to libpq here.

    Args:
        url: The user's; its form is checked.
        current_dir: What relative paths are relative to.

    Raises:
        AddressError: libpq does not take it, or it names no host.
    """
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(url).items()}
    except psycopg.ProgrammingError as error:
        found = _UNKNOWN.search(str(error))
        what = f"has the option {found[1]}, which libpq does not know" if found else "is no URI"
        raise AddressError(f"{what} (libpq {_libpq_version()})") from error
    service = given.pop("service", None)
    values = _session_defaults(service) | {k: v for k, v in given.items() if v}
    for name in (*_OURS, "service", "servicefile"):
        values.pop(name, None)
    if "host" not in values and "hostaddr" not in values:
        raise AddressError(
            "names no host, and neither does PGHOST: for a local socket write its folder, "
            "postgresql://user@/database?host=/var/run/postgresql"
        )
    _add_files(values, current_dir)
    return _url_of(values)


def tcp_addresses(url: str) -> list[tuple[str, int]]:
    """Return host and port of each TCP address that a complete URL names; Unix sockets none."""
    given = postgres_arguments(url)
    hosts = (given.get("hostaddr") or given.get("host", "")).split(",")
    ports = given.get("port", "").split(",")
    ports *= len(hosts) if len(ports) == 1 else 1
    return [
        (host, int(port or _PORT))
        for host, port in zip(hosts, ports, strict=False)
        if host and not host.startswith(("/", "@"))
    ]


def _session_defaults(service: str | None) -> dict[str, str]:
    """Return what libpq takes from a service, PG* variables and the user's name, by option."""
    with with_service(service):
        if (refusal := _service_refusal()) is not None:
            raise AddressError(f"names, with PGSERVICE, a service: {refusal}")
        options = Conninfo.get_defaults()
    return {
        one.keyword.decode(): one.val.decode()
        for one in options
        if one.val and one.val != one.compiled
    }


def _service_refusal() -> str | None:
    """Return libpq's complaint about the service of the session; None without."""
    # It reads the service file before it connects; nobody listens on port 1 of this machine.
    attempt = PGconn.connect_start(b"host=127.0.0.1 hostaddr=127.0.0.1 port=1 sslmode=disable")
    try:
        message = attempt.error_message.decode(errors="replace").strip()
        failed = attempt.status == ConnStatus.BAD
        return message if failed and "service" in message else None
    finally:
        attempt.finish()


def _add_files(values: dict[str, str], current_dir: Path) -> None:
    for name, below_home in _DEFAULT_FILES.items():
        path = Path.home() / below_home
        if name not in values and path.is_file():
            values[name] = str(path)
    for name in _FILES:
        if name in values and values[name] != _NOT_A_PATH.get(name):
            values[name] = str(current_dir / values[name])


def _url_of(values: Mapping[str, str]) -> str:
    """Return the one form in which a URL reaches workers; ``workload.sql_urls`` reads it."""
    rest = dict(values)
    user, password = rest.pop("user", ""), rest.pop("password", "")
    database = rest.pop("dbname", "") or user
    host, port = rest.get("host", ""), rest.get("port", "")
    address = ""
    if host and not re.search("[,/@]", f"{host}{port}"):
        address = f"[{host}]" if ":" in host else quote(host, safe="")
        address += f":{port or _PORT}"
        rest.pop("host")
        rest.pop("port", None)
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    query = urlencode(sorted(rest.items()), safe="/,:", quote_via=quote)
    return f"postgresql://{login}@{address}/{quote(database, safe='')}{'?' if query else ''}{query}"


def _libpq_version() -> str:
    return str(psycopg.pq.version() // 10_000)


__all__ = ["complete_url", "without_session_variables"]
