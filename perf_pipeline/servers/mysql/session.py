"""A session with a MySQL or MariaDB: for a few statements, whose errors become one type."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pymysql

from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.workload.sql_urls import mysql_arguments

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
    arguments = {"charset": "utf8mb4", **mysql_arguments(url)}
    if without_database:
        del arguments["database"]
    try:
        with (
            pymysql.connect(
                **arguments,
                connect_timeout=max(1, round(timeout_s)),  # it takes whole seconds
                read_timeout=timeout_s,
                write_timeout=timeout_s,
                autocommit=True,
            ) as connection,
            connection.cursor() as cursor,
        ):
            yield cursor
    # RuntimeError: a login that needs a package which is not installed, unless over TLS.
    # OSError: the files of certificates; pymysql has its own errors for the network.
    except (pymysql.MySQLError, RuntimeError, OSError, LookupError) as error:
        raise NotAnsweringError(_text(error)) from error


def database_of(url: str) -> str:
    """Return the database that a URL names."""
    return str(mysql_arguments(url)["database"])


def _text(error: Exception) -> str:
    """Return an error's text as a sentence: pymysql's is the tuple of its code and its text."""
    if isinstance(error, pymysql.MySQLError) and len(error.args) > 1:
        return f"{error.args[1]} (code {error.args[0]})"
    return str(error)
