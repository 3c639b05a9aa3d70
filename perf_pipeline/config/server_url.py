"""The form of the URL of a user's own server: what every service's driver takes for granted.

Options, files and defaults are the driver's own business: ``servers.<name>.address``. No fault
repeats a part of the URL that may belong to a password, also where a character of it is not
percent-encoded and so ends up in the place of a host, a port, a path or an option.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from perf_pipeline.config.services import ServiceSpec

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)(/[^?]*)?(?:\?(.*))?", re.DOTALL)
_HOST = re.compile(r"\[[0-9A-Fa-f:.]+\]|(?:[^\[\]:@%]|%[0-9A-Fa-f]{2})*")
_PORTS = 65536
SOCKET = "unix_socket"
"""The option that names a local socket, where a URL has no host (MySQL)."""
_ENCODE = (
    "in a user's name or a password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A, "
    "[ as %5B, ] as %5D and % as %25"
)


@dataclass(frozen=True)
class _Parts:
    scheme: str
    login: str
    hosts: tuple[tuple[str, str], ...]
    path: str
    query: str


def complete_server_url(spec: ServiceSpec, url: str) -> tuple[str, list[str]]:
    """Return a URL with its usual scheme, port and numbered database, and what is wrong with it.

    Args:
        spec: The service.
        url: As the user gave it.

    Returns:
        The URL, and its faults as predicates ("names no host"); with a fault, the URL as given.
    """
    if fault := _stray_character(url):
        return url, [fault]
    found = _URL.fullmatch(url)
    if found is None:
        return url, [f'does not begin with "{spec.example.scheme}://"']
    scheme, authority, path, query = found[1].lower(), found[2], found[3] or "", found[4] or ""
    if scheme not in {spec.example.scheme, spec.name, *spec.aliases, *spec.other_schemes}:
        return url, [f'begins with "{scheme}:" instead of "{spec.example.scheme}:"']
    login, _, addresses = authority.rpartition("@")
    hosts = tuple(filter(None, map(_host_and_port, addresses.split(","))))
    if "@" in path + query or len(hosts) < addresses.count(",") + 1:
        return url, [f"names a host or a port (1 to 65535) that cannot be read: {_ENCODE}"]
    parts = _Parts(scheme, login, hosts, path, query)
    faults = _faults(spec, parts)
    return (url, faults) if faults else (_complete(spec, parts), [])


def _stray_character(url: str) -> str | None:
    if any(character.isspace() or not character.isprintable() for character in url):
        return "holds a blank or a control character"
    if "#" in url:
        return f"holds a #, which begins nothing in such a URL: {_ENCODE}"
    if re.search(r"%(?![0-9A-Fa-f]{2})", url):
        return f"holds a % without two hexadecimal digits after it: {_ENCODE}"
    try:
        holds_nul = "\0" in unquote(url, errors="strict")
    except UnicodeDecodeError:
        return "holds percent-encoded bytes that are not UTF-8: encode each character as UTF-8"
    return "holds %00, which no server accepts" if holds_nul else None


def _host_and_port(address: str) -> tuple[str, str] | None:
    host, colon, port = address, "", ""
    if not address.endswith("]"):
        before, colon, port = address.rpartition(":")
        host = before if colon else port
    if colon and port and not (port.isdecimal() and port.isascii() and 0 < int(port) < _PORTS):
        return None
    return (host, port if colon else "") if _HOST.fullmatch(host) else None


def _faults(spec: ServiceSpec, parts: _Parts) -> list[str]:
    faults = []
    options = _items(parts.query)
    if not all(equals and name for name, equals, _ in options):
        faults.append("has an option that is not of the form name=value")
    faults += _login_faults(spec, parts)
    if len(parts.hosts) > 1 and not spec.takes_host_lists:
        faults.append(f"names {len(parts.hosts)} hosts, of which the driver would take one")
    path = parts.path.strip("/")
    if parts.scheme == "unix":
        return faults if path else [*faults, "names no socket"]
    has_host = all(host for host, _ in parts.hosts)
    if not (has_host or spec.has_driver_defaults or any(n == SOCKET for n, _, _ in options)):
        faults.append("names no host")
    if spec.has_numbered_databases:
        database_is_number = not path or (path.isdecimal() and path.isascii())
        return faults if database_is_number else [*faults, "names a database that is not a number"]
    if not path and not spec.has_driver_defaults:
        faults.append("names no database")
    if spec.example.username and not spec.has_driver_defaults and not parts.login.partition(":")[0]:
        faults.append("names no user")
    if parts.scheme.endswith("+srv") and (len(parts.hosts) > 1 or parts.hosts[0][1]):
        faults.append("names more than one host, or a port, which +srv asks the DNS for")
    return faults


def _login_faults(spec: ServiceSpec, parts: _Parts) -> list[str]:
    faults = []
    stray = "@[]" if spec.has_driver_defaults else "[]"  # libpq's login ends at the first @
    if any(character in parts.login for character in stray):
        faults.append(
            f"has a user's name or a password with a bare {' or '.join(stray)}: {_ENCODE}"
        )
    if spec.has_numbered_databases and parts.login and ":" not in parts.login:
        faults.append(
            "names a user without a password, which Redis refuses; a password alone is written "
            f"{parts.scheme}://:password@host"
        )
    return faults


def _complete(spec: ServiceSpec, parts: _Parts) -> str:
    scheme = parts.scheme if parts.scheme in spec.other_schemes else spec.example.scheme
    path = parts.path
    no_port = spec.has_driver_defaults or scheme.endswith("+srv")
    default_port = "" if no_port else str(spec.example.port)
    if spec.has_numbered_databases and not path.strip("/") and "db=" not in parts.query:
        path = "/0"
    hosts = ",".join(
        f"{host}:{port or default_port}" if host and (port or default_port) else host
        for host, port in parts.hosts
    )
    login = f"{parts.login}@" if parts.login else ""
    return f"{scheme}://{login}{hosts}{path}{'?' if parts.query else ''}{parts.query}"


def _items(query: str) -> list[tuple[str, str, str]]:
    return [item.partition("=") for item in re.split("[&;]", query) if item]
