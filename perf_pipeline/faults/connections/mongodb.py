"""Connections to MongoDB: plain sockets that said who they are and stay idle."""

from __future__ import annotations

import socket
import struct
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import bson
from pymongo.uri_parser import parse_uri

from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.servers.mongodb.ferretdb import is_ferretdb
from perf_pipeline.servers.mongodb.session import is_stand_in, session
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "perf_pipeline-connection"
_ANSWER_S = 5.0
_HEADER_BYTES = 16
_OP_MSG = 2013


class MongodbConnections:
    """See ``Connections``."""

    OPENERS = 16

    def __init__(self, url: str) -> None:
        """Prepare; nothing is opened."""
        self._url = url
        # Opened before the server is full, and kept.
        self._watch = ProbeSession(partial(session, url, _ANSWER_S))

    def limit(self) -> int:
        """Return the sum of connections that there are and that are available."""
        status = self._status()
        if is_ferretdb(status):
            raise FaultRefusedError("FerretDB has no limit on its connections")
        if is_stand_in(status):
            raise FaultRefusedError("the stand-in for MongoDB has no limit on its connections")
        counted = status["connections"]
        return int(counted["current"]) + int(counted["available"])

    def open(self) -> Callable[[], object]:
        """Open a connection, and say hello; a full server hangs up."""
        client = {"application": {"name": NAME}, "driver": {"name": NAME, "version": "1"}}
        hello = {"hello": 1, "client": {**client, "os": {"type": "Linux"}}, "$db": "admin"}
        opened = connected(self._url)
        try:
            opened.sendall(message(hello))
            answer = opened.recv(_HEADER_BYTES)
        except ConnectionError:
            answer = b""
        except OSError as error:
            opened.close()
            raise NotAnsweringError(str(error)) from error
        if not answer:
            opened.close()
            raise LimitReachedError("it closes a new connection at once")
        return opened.close

    def total(self) -> int:
        """Return the connections that there are."""
        return int(self._status()["connections"]["current"])

    def ours(self) -> int:
        """Count the connections with our name."""
        stages: list[dict[str, Any]] = [
            {"$currentOp": {"allUsers": True, "idleConnections": True}},
            {"$match": {"appName": NAME}},
        ]
        return len(self._watch.ask(lambda client: list(client.admin.aggregate(stages))))

    def stop_watching(self) -> None:
        """End the session that counts."""
        self._watch.close()

    def _status(self) -> dict[str, Any]:
        return self._watch.ask(lambda client: client.admin.command("serverStatus"))


def connected(url: str, receive_bytes: int = 0) -> socket.socket:
    """Connect a plain socket to the first server of a URL, without a login.

    Args:
        url: The server.
        receive_bytes: Size of the buffer in which the kernel keeps what was not read yet; 0 for
            what it usually has.

    Raises:
        FaultRefusedError: It needs TLS or a login.
        NotAnsweringError: It cannot be reached.
    """
    parsed = parse_uri(url)
    if urlsplit(url).username or parsed["options"].get("tls"):
        raise FaultRefusedError(
            "connections are opened without login and TLS, which its URL asks for"
        )
    opened = socket.socket()
    try:
        if receive_bytes:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        opened.settimeout(_ANSWER_S)
        opened.connect(parsed["nodelist"][0])
    except OSError as error:
        opened.close()
        raise NotAnsweringError(str(error)) from error
    return opened


def message(command: Mapping[str, Any]) -> bytes:
    """Return a command as MongoDB's protocol has it.

    Source:
        MongoDB Wire Protocol, OP_MSG: flags, one section of kind 0.
    """
    body = struct.pack("<IB", 0, 0) + bson.encode(command)
    return struct.pack("<iiii", _HEADER_BYTES + len(body), 1, 0, _OP_MSG) + body
