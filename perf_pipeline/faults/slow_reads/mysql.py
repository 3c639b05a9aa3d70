"""A slow client of MySQL or MariaDB: a query whose rows hardly end."""

from __future__ import annotations

import socket
import struct
from functools import partial
from typing import TYPE_CHECKING

import pymysql

from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.slow_reads.slow_client import RECEIVE_BYTES, SlowClient
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.workload.sql_urls import mysql_arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymysql.connections import Connection
    from pymysql.cursors import Cursor

_ANSWER_S = 2.0
_COM_QUERY = b"\x03"
_QUERY = """/* perf_pipeline-slow */ SELECT repeat('x', 1000)
    FROM information_schema.collations AS a, information_schema.collations AS b,
        information_schema.collations AS c"""
"""Some ten million rows, which no server has to keep: it makes them as they are taken."""


def open_client(url: str) -> SlowClient:
    """Open a session; PyMySQL never reads the answer to what it asks.

    Raises:
        FaultRefusedError: The URL asks for TLS.
        NotAnsweringError: The server refused.
    """
    given = mysql_arguments(url)
    if "ssl" in given or "unix_socket" in given:
        raise FaultRefusedError("its answers are read from plain TCP: give a URL without TLS")
    arguments = {**given, "ssl_disabled": True, "charset": "utf8mb4"}
    session = pymysql.connect(**arguments, read_timeout=_ANSWER_S, defer_connect=True)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    connection.settimeout(_ANSWER_S)
    try:
        connection.connect((given.get("host", "localhost"), given.get("port", 3306)))
        session.connect(sock=connection)
    except (pymysql.MySQLError, OSError, RuntimeError) as error:
        connection.close()
        raise NotAnsweringError(str(error)) from error
    connection.setblocking(False)
    query = _packet(_COM_QUERY + _QUERY.encode())
    return SlowClient(connection, partial(connection.sendall, query), _closer(session, connection))


def _closer(session: Connection[Cursor], connection: socket.socket) -> Callable[[], object]:
    def close() -> None:
        connection.close()
        session.close()  # of which PyMySQL tells a server that no longer listens

    return close


def _packet(payload: bytes) -> bytes:
    """Return the first packet of a command: its length in three bytes, its number, 0."""
    return struct.pack("<I", len(payload)) + payload
