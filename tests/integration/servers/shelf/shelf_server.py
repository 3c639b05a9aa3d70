"""The server of Shelf: ``python shelf_server.py PORT``. One JSON object a line, either way."""

from __future__ import annotations

import json
import os
import socketserver
import sys
import threading
from typing import Any

VERSION = "1.2"


class Shelf(socketserver.ThreadingTCPServer):
    """Keys and values in memory, and the name of the program behind each connection."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Session)
        self.values: dict[str, str] = {}
        self.names: dict[int, str] = {}
        self.requests = 0


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: Shelf

    def handle(self) -> None:
        """Answer one request after the other."""
        me = threading.get_ident()
        for line in self.rfile:
            request = json.loads(line)
            self.server.requests += 1
            self.server.names.setdefault(me, request["name"])
            answer = self.answer(request)
            self.wfile.write(json.dumps(answer).encode() + b"\n")
        self.server.names.pop(me, None)

    def answer(self, request: dict[str, Any]) -> Any:
        """Do what a request asks."""
        shelf, prefix = self.server, request.get("prefix", "")
        found = [key for key in shelf.values if key.startswith(prefix)]
        if request["do"] == "put":
            shelf.values[request["key"]] = request["value"]
        elif request["do"] == "take":
            for key in found:
                del shelf.values[key]
        return {
            "version": VERSION,
            "folder": os.getcwd(),  # noqa: PTH109
            "keys": found,
            "names": list(shelf.names.values()),
            "requests": shelf.requests,
        }


if __name__ == "__main__":
    Shelf(int(sys.argv[1])).serve_forever()
