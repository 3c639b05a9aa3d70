"""The URL by which a worker reaches a server through a proxy on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from perf_pipeline.servers.service import AddressError, find_service

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_ONE_SERVER = "directConnection=true"
"""Without it pymongo asks a server for the members of its replica set, and goes past the proxy."""

_OTHER_WAYS = ("hostaddr=", "directConnection=false", "replicaSet=")
_OFF = ("", "0", "disabled", "false", "no")


def upstream_of(service: str, url: str) -> tuple[str, int]:
    """Return host and port of the server that a proxy stands before.

    Args:
        service: Its service.
        url: Its complete URL.

    Raises:
        AddressError: It has no single TCP address, or TLS would look for another name.
    """
    addresses = find_service(service).tcp_addresses(url)
    parts = urlsplit(url)
    query = parts.query.lower()
    if len(addresses) != 1 or parts.scheme.endswith("+srv"):
        raise AddressError(f"names {len(addresses)} TCP addresses: a proxy stands before one")
    if not parts.hostname or any(way.lower() in query for way in _OTHER_WAYS):
        raise AddressError("names a way to the server that would lead past a proxy")
    if _wants_the_servers_name(service, parts):
        raise AddressError("asks for TLS, whose certificate does not name a proxy on 127.0.0.1")
    return addresses[0]


def url_through(service: str, url: str, host: str, port: int) -> str:
    """Return a URL with the address of a proxy in place of the server's.

    Args:
        service: Its service.
        url: A URL that ``upstream_of`` takes.
        host: Of the proxy.
        port: Of the proxy.
    """
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    query = parts.query
    if service == "mongodb" and _ONE_SERVER not in query:
        query = f"{query}&{_ONE_SERVER}".lstrip("&")
    path = parts.path or "/"
    return urlunsplit((parts.scheme, f"{login}{at}{host}:{port}", path, query, ""))


def _wants_the_servers_name(service: str, parts: SplitResult) -> bool:
    """Return whether TLS compares the server's certificate with the address that is connected to.

    TLS without that passes through a proxy. Of MySQL and MongoDB any TLS is taken to compare it.
    """
    options = dict(parse_qsl(parts.query.lower(), keep_blank_values=True))
    if service == "postgres":
        return options.get("sslmode") == "verify-full" or options.get("sslrootcert") == "system"
    return parts.scheme == "rediss" or any(
        name.startswith(("ssl", "tls")) and value not in _OFF
        for name, value in options.items()
        if name != "ssl_disabled"
    )
