"""A session with a MySQL or MariaDB: for a few statements, whose errors become one type."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pymysql

from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pymysql.cursors import Cursor


@contextmanager
def session(url: str, timeout_s: float, *, without_database: bool = False) -> Iterator[Cursor]:
    """Connect for a few statements, each committed by itself and none longer than the timeout.

    Args:
        url: The server, ``mysql://user:password@host:port/database``.
        timeout_s: For the connection and for each answer.
        without_database: Do not enter the database of the URL, so that counts of the connections
            in it leave this one out.

    Raises:
        NotAnsweringError: Whatever goes wrong in the block between us and the server.
    """
    parts = urlsplit(url)
    try:
        with (
            pymysql.connect(
                host=parts.hostname,
                port=parts.port or 3306,
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                database=None if without_database else database_of(url),
                connect_timeout=max(1, round(timeout_s)),  # it takes whole seconds
                read_timeout=timeout_s,
                write_timeout=timeout_s,
                autocommit=True,
                charset="utf8mb4",
            ) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
    # RuntimeError: a login that needs a package which is not installed, unless over TLS.
    except (pymysql.MySQLError, RuntimeError) as error:
        raise NotAnsweringError(str(error)) from error


def database_of(url: str) -> str:
    """Return the database that a URL names."""
    return unquote(urlsplit(url).path.strip("/"))
