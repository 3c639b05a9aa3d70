"""A slow client of MongoDB: it asks for the server's status, hundreds of times in advance."""

from __future__ import annotations

from perf_pipeline.faults.connections.mongodb import connected, message
from perf_pipeline.faults.slow_reads.slow_client import RECEIVE_BYTES, Request, SlowClient

_TIMES = 50
_STATUS_BYTES = 400
"""Of the stand-in's; that of a mongod has some forty kilobytes."""

_REQUEST = Request(
    message({"serverStatus": 1, "$db": "admin"}) * _TIMES,
    answer_bytes=_TIMES * _STATUS_BYTES,
    ahead_bytes=1 << 20,
)


def open_client(url: str) -> SlowClient:
    """Open a connection.

    Raises:
        FaultRefusedError: The URL asks for TLS or a login.
        NotAnsweringError: The server refused.
    """
    connection = connected(url, RECEIVE_BYTES)
    connection.setblocking(False)
    return SlowClient(connection, _REQUEST, connection.close)
