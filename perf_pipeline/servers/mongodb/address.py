"""The URL of a user's MongoDB: checked by pymongo, with absolute paths of certificates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_plus

from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from perf_pipeline.servers.service import AddressError

if TYPE_CHECKING:
    from pathlib import Path

_FILES = ("tlscafile", "tlscertificatekeyfile", "tlscrlfile")
_SRV, _SRV_OPTION = "mongodb+srv://", "srv"


def complete_url(url: str, current_dir: Path) -> str:
    """Return the URL with absolute paths.

    The names behind ``mongodb+srv://`` are asked of the DNS when a client connects, not here.

    Args:
        url: The user's; its form is checked.
        current_dir: What relative paths are relative to.

    Raises:
        AddressError: pymongo does not know an option of it, or not its value.
    """
    address, mark, query = url.partition("?")
    items = [item.partition("=") for item in re.split("[&;]", query) if item]
    options = "&".join(
        f"{name}={quote(str(current_dir / unquote_plus(value)), safe='/')}"
        if name.lower() in _FILES
        else f"{name}{equals}{value}"
        for name, equals, value in items
    )
    complete = f"{address}{mark}{options}"
    checked = "&".join(one for one in options.split("&") if not one.lower().startswith(_SRV_OPTION))
    try:
        parse_uri(f"{address.replace(_SRV, 'mongodb://', 1)}{mark}{checked}")
    except OSError as error:
        raise AddressError(
            f"names a file that cannot be read: {error.filename}: {error.strerror}"
        ) from error
    except (PyMongoError, ValueError) as error:
        raise AddressError(f"is refused by pymongo: {error}") from error
    return complete


def tcp_addresses(url: str) -> list[tuple[str, int]]:
    """Return host and port of each TCP address that a URL names; Unix sockets none.

    Members of a replica set that it does not name are not among them.
    """
    try:
        nodes = parse_uri(url)["nodelist"]
    except (PyMongoError, ValueError):  # the DNS does not answer for mongodb+srv
        return []
    return [(host, port) for host, port in nodes if port is not None]
