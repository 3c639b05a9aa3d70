"""A server that answers, as MongoDB documents them, the commands that failures use.

No mongod can be had where these tests run. This shows that failures speak its protocol, not that
a mongod behaves as documented.
"""

from __future__ import annotations

import socketserver
import struct
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import bson

if TYPE_CHECKING:
    from collections.abc import Iterator

_OP_QUERY, _OP_REPLY, _OP_MSG = 2004, 1, 2013
_HEADER = struct.Struct("<iiii")
_LOCK_S = 20.0
_MAX_WIRE_VERSION = 21


class DocumentedMongod(socketserver.ThreadingTCPServer):
    """Knows hello, ping, insert, fsync, fsyncUnlock, currentOp, serverStatus and $currentOp."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, limit: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.limit = limit
        self.names: dict[int, str] = {}
        self.unlocked = threading.Event()
        self.unlocked.set()
        self.locks = 0

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self.server_address[1]}/perf_pipeline"

    def answer(self, connection: int, command: dict[str, Any]) -> dict[str, Any]:
        name = next(iter(command))
        if name in ("hello", "ismaster", "isMaster"):
            application = command.get("client", {}).get("application", {})
            self.names[connection] = application.get("name", "")
            return {"isWritablePrimary": True, "ismaster": True, "helloOk": True, **_VERSIONS}
        if name == "fsync":
            self.locks += 1
            self.unlocked.clear()
        elif name == "fsyncUnlock":
            self.locks -= 1
            if self.locks == 0:
                self.unlocked.set()
        elif name == "insert":
            self.unlocked.wait(_LOCK_S)
            return {"n": 1}
        elif name == "currentOp":
            return {"inprog": [], **({"fsyncLock": True} if self.locks else {})}
        elif name == "serverStatus":
            current = len(self.names)
            counted = {"current": current, "available": self.limit - current}
            return {"process": "mongod", "version": "7.0.0", "connections": counted}
        elif name == "aggregate":
            wanted = command["pipeline"][1]["$match"]["appName"]
            batch = [{"appName": one} for one in self.names.values() if one == wanted]
            return {"cursor": {"id": 0, "ns": "admin.$cmd.aggregate", "firstBatch": batch}}
        return {}


_VERSIONS = {"minWireVersion": 0, "maxWireVersion": _MAX_WIRE_VERSION}


class _Connection(socketserver.StreamRequestHandler):
    server: DocumentedMongod

    def handle(self) -> None:
        own = id(self)
        if len(self.server.names) >= self.server.limit:
            return  # it hangs up
        self.server.names[own] = ""
        try:
            while len(header := self.rfile.read(_HEADER.size)) == _HEADER.size:
                length, number, _, kind = _HEADER.unpack(header)
                self._reply(own, number, kind, self.rfile.read(length - _HEADER.size))
        except OSError:
            pass
        finally:
            del self.server.names[own]

    def _reply(self, own: int, number: int, kind: int, body: bytes) -> None:
        start = body.index(b"\0", 4) + 9 if kind == _OP_QUERY else 5
        (length,) = struct.unpack_from("<i", body, start)
        command = bson.decode(body[start : start + length])
        document = bson.encode({**self.server.answer(own, command), "ok": 1.0})
        if kind == _OP_QUERY:
            kind, head = _OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1)
        else:
            head = b"\0\0\0\0\0"
        header = _HEADER.pack(_HEADER.size + len(head) + len(document), 1, number, kind)
        self.wfile.write(header + head + document)


@contextmanager
def documented_mongod(limit: int) -> Iterator[DocumentedMongod]:
    """Run such a server for the block."""
    with DocumentedMongod(limit) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server
        finally:
            server.unlocked.set()
            server.shutdown()
            thread.join()
