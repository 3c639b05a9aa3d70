"""The URL of a user's MySQL: its options checked, its paths absolute, its authorities named."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pymysql.charset import charset_by_name

from perf_pipeline.servers.service import AddressError
from perf_pipeline.workload.sql_urls import MYSQL_FILES, mysql_arguments

if TYPE_CHECKING:
    from pathlib import Path


def complete_url(url: str, current_dir: Path) -> str:
    """Return the URL with absolute paths, and with the system's authorities if it names none.

    PyMySQL does not compare the server's name with its certificate unless an authority is named.

    Args:
        url: The user's; its form is checked.
        current_dir: What relative paths are relative to.

    Raises:
        AddressError: An option is not known.
    """
    parts = urlsplit(url)
    options = {
        name.replace("-", "_"): value
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    }
    options |= {name: str(current_dir / options[name]) for name in MYSQL_FILES if name in options}
    try:
        tls = mysql_arguments(url).get("ssl", {})
    except ValueError as error:
        raise AddressError(str(error)) from error
    if "charset" in options and not _is_known(options["charset"]):
        raise AddressError("has a charset that PyMySQL does not know: use utf8mb4")
    if tls.get("verify_mode") == "required" and not {"ca", "capath"} & tls.keys():
        system = ssl.get_default_verify_paths()
        if system.cafile is not None:
            options["ssl_ca"] = system.cafile
        elif system.capath is not None:
            options["ssl_capath"] = system.capath
        options.setdefault("ssl_mode", "VERIFY_IDENTITY" if tls["check_hostname"] else "VERIFY_CA")
    return urlunsplit(parts._replace(query=urlencode(options, safe="/:,", quote_via=quote)))


def tcp_addresses(url: str) -> list[tuple[str, int]]:
    """Return host and port of the TCP address that a URL names; nothing for a Unix socket."""
    given = mysql_arguments(url)
    if "unix_socket" in given:
        return []
    return [(given.get("host", "localhost"), given.get("port", 3306))]


def _is_known(charset: str) -> bool:
    try:
        return charset_by_name(charset) is not None
    except KeyError:
        return False
