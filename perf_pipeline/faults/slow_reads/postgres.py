"""A slow client of PostgreSQL: a query whose rows have no end."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg

from perf_pipeline.faults.connections.postgres import connected
from perf_pipeline.faults.slow_reads.slow_client import RECEIVE_BYTES, SlowClient
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.pq.abc import PGconn

_NAME = "perf_pipeline-slow"
_QUERY = b"SELECT generate_series(1, 2000000000), repeat('x', 1000)"


def open_client(url: str) -> SlowClient:
    """Open a session, and have it ask; libpq never reads the answer.

    Raises:
        LimitReachedError: The server has as many connections as it accepts.
        NotAnsweringError: It refused otherwise.
    """
    session = connected(url, _NAME)
    try:
        connection = socket.socket(fileno=os.dup(session.socket))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        session.send_query(_QUERY)
        session.flush()
    except psycopg.Error as error:
        session.finish()
        raise NotAnsweringError(" ".join(str(error).split())) from error
    connection.setblocking(False)
    return SlowClient(connection, None, _closer(session, connection))


def _closer(session: PGconn, connection: socket.socket) -> Callable[[], object]:
    def close() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)  # libpq may not have sent all of the query
        connection.close()
        session.finish()

    return close
