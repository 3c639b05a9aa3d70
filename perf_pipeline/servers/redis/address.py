"""The URL of a user's Redis: what redis-py makes of it, with absolute paths of certificates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

from redis.connection import Connection, parse_url
from redis.exceptions import RedisError

from perf_pipeline.servers.service import AddressError

if TYPE_CHECKING:
    from pathlib import Path

_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
_UNKNOWN = re.compile(r"unexpected keyword argument '(\w+)'")


def complete_url(url: str, current_dir: Path) -> str:
    """Return the URL with absolute paths.

    Args:
        url: The user's; its form is checked.
        current_dir: What relative paths are relative to.

    Raises:
        AddressError: redis-py does not know an option of it, or not its value.
    """
    try:
        arguments: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
        arguments.pop("connection_class", Connection)(**arguments)  # it connects later
    except TypeError as error:
        found = _UNKNOWN.search(str(error))
        what = f"the option {found[1]}" if found else "an option"
        hint = " (options of TLS need rediss://)" if found and found[1].startswith("ssl_") else ""
        raise AddressError(f"has {what}, which redis-py does not know{hint}") from error
    except (ValueError, RedisError) as error:
        raise AddressError(f"has an option with a wrong value ({error})") from error
    if not _carries_ascii(arguments.get("encoding", "utf-8")):
        raise AddressError("has an encoding in which Redis's protocol cannot be read: leave it out")
    address, mark, query = url.partition("?")
    options = [
        (name, str(current_dir / value) if name in _FILES else value)
        for name, value in parse_qsl(query, keep_blank_values=True)
    ]
    return f"{address}{mark}{urlencode(options, safe='/:,', quote_via=quote)}"


def tcp_addresses(url: str) -> list[tuple[str, int]]:
    """Return host and port of the TCP address that a URL names; nothing for a Unix socket."""
    given: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    return [] if "path" in given else [(given.get("host", "localhost"), given.get("port", 6379))]


def _carries_ascii(encoding: str) -> bool:
    try:
        return "OK".encode(encoding) == b"OK"
    except LookupError:
        return False
