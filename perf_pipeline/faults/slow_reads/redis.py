"""A slow client of Redis or Valkey: it has sent back what it sends."""

from __future__ import annotations

from urllib.parse import urlsplit

from perf_pipeline.faults.connections.redis import connected, encoded
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.slow_reads.slow_client import RECEIVE_BYTES, Request, SlowClient

_NAME = "perf_pipeline-slow"
_BYTES = 256 * 1024
_REQUEST = Request(encoded(b"ECHO", b"x" * _BYTES), answer_bytes=_BYTES, ahead_bytes=8 << 20)
"""More than the kernel keeps for it: the rest is in the memory of the server."""


def open_client(url: str) -> SlowClient:
    """Open a connection; the server keeps in memory what it does not take.

    Raises:
        FaultRefusedError: The URL is not plain TCP.
        LimitReachedError: The server has as many connections as it accepts.
        NotAnsweringError: It refused otherwise.
    """
    if urlsplit(url).scheme != "redis":
        raise FaultRefusedError("its answers are read from plain TCP: give a redis:// URL")
    connection = connected(url, _NAME, RECEIVE_BYTES)
    connection.setblocking(False)
    return SlowClient(connection, _REQUEST, connection.close)
