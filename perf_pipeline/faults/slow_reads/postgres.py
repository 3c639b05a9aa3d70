"""A slow client of PostgreSQL: a query whose rows hardly end."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from perf_pipeline.faults.connections.postgres import connected
from perf_pipeline.faults.slow_reads.slow_client import RECEIVE_BYTES, SlowClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.pq.abc import PGconn

_NAME = "perf_pipeline-slow"
_QUERY = b"SELECT generate_series(1, 100000), repeat('x', 1000000)"
"""A hundred gigabytes, made as they are taken. Of millions of rows, the server would first compile
the query."""


def open_client(url: str) -> SlowClient:
    """Open a session; libpq never reads the answer to what it asks.

    Raises:
        LimitReachedError: The server has as many connections as it accepts.
        NotAnsweringError: It refused otherwise.
    """
    session = connected(url, _NAME)
    connection = socket.socket(fileno=os.dup(session.socket))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    connection.setblocking(False)
    return SlowClient(connection, partial(_ask, session), _closer(session, connection))


def _ask(session: PGconn) -> None:
    try:
        session.send_query(_QUERY)
        session.flush()
    except psycopg.Error as error:
        raise ConnectionResetError(str(error)) from error


def _closer(session: PGconn, connection: socket.socket) -> Callable[[], object]:
    def close() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)  # libpq may not have sent all of the query
        connection.close()
        session.finish()

    return close
