"""A session with a MongoDB: for a few commands, whose errors become one type."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from perf_pipeline.servers.mongodb.address import tcp_addresses
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterator

STAND_IN_PROCESS = "nx_27017"
"""What ``serverStatus`` of the stand-in calls its process."""

REACHED_S = 15.0
"""A server on loopback, or one network away, that takes longer to be reached is not there."""

_TRIED_S = 1.0

UNAUTHORIZED = 13
"""The code of an answer to a user who may not ask."""

HIDDEN = "the URL's user may not use serverStatus (role clusterMonitor)"

OWN_CONNECTIONS = 2
"""What ``session`` opens: one for the commands, one by which the driver watches the server."""


@contextmanager
def session(url: str, timeout_s: float) -> Iterator[MongoClient[dict[str, Any]]]:
    """Connect for a few commands, none of them longer than the timeout and none tried twice.

    A server that cannot be reached is given up after ``REACHED_S``, and at once where every address
    of its URL refuses: the driver by itself tries again until its time is over. So a run does not
    end late for a dead server.

    Raises:
        NotAnsweringError: Whatever goes wrong in the block between us and the server.
    """
    timeout_ms = round(timeout_s * 1000)
    reached_ms = round(min(timeout_s, REACHED_S) * 1000)
    _find_all_refused(url)
    try:
        with MongoClient[dict[str, Any]](
            url,
            serverSelectionTimeoutMS=reached_ms,
            connectTimeoutMS=reached_ms,
            socketTimeoutMS=timeout_ms,
            maxPoolSize=1,
            serverMonitoringMode="poll",
            retryReads=False,
            retryWrites=False,
        ) as client:
            yield client
    except (PyMongoError, OSError, ValueError) as error:  # the latter: files, a wrong option
        # The driver repeats its view of the topology, which only repeats the error.
        raise NotAnsweringError(str(error).partition(", Topology Description:")[0]) from error


def _find_all_refused(url: str) -> None:
    """Raise where nothing listens on any address of a URL.

    Raises:
        NotAnsweringError: Every address refuses a connection.
    """
    addresses = tcp_addresses(url)
    for address in addresses:
        try:
            with socket.create_connection(address, timeout=_TRIED_S):
                return
        except ConnectionRefusedError:
            continue
        except OSError:  # no answer, or no such host: the driver says which
            return
    if addresses:
        named = ", ".join(f"{host}:{port}" for host, port in addresses)
        raise NotAnsweringError(f"connection refused: nothing listens on {named}")


def server_status(url: str, timeout_s: float) -> dict[str, Any]:
    """Return the answer to ``serverStatus``; a user other than ours needs the role clusterMonitor.

    Raises:
        NotAnsweringError: It did not answer, or this user may not know.
    """
    with session(url, timeout_s) as client:
        return client.admin.command("serverStatus")


def is_stand_in(status: dict[str, Any]) -> bool:
    """Return whether the server of a ``serverStatus`` is the stand-in for MongoDB."""
    return str(status.get("process", "")).rpartition("/")[2] == STAND_IN_PROCESS
