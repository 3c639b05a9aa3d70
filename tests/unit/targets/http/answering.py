"""A loopback service of a test, which answers as its path says and keeps an account of its own."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


LATE_S = 0.3
WAYS = ("parts", "reset", "torn", "stall", "cut", "slow", "garbage", "long")
"""What ``/ways?n=NUMBER`` does, by the number."""


class Answering(ThreadingHTTPServer):
    """``/200``: that status; ``/echo``: what was sent; ``/slow``: nothing; ``/cut``: half.

    Attributes:
        connections: How many were opened.
        requests: Path of each request that has arrived.
        answered_ns: Path of each that was answered to when its head had been read, and to when the
            last part of the answer was about to be sent; CLOCK_MONOTONIC.
        released: Set to end every wait.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections = 0
        self.requests: list[str] = []
        self.answered_ns: dict[str, tuple[int, int]] = {}
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Answering
    arrived_ns = 0

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        self.arrived_ns = time.monotonic_ns()
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(self.path)
        name = parts.path.strip("/")
        if name == "ways":
            name = WAYS[int(query["n"][0]) % len(WAYS)]
        match name:
            case "once":  # says nothing of it, as a server that restarts
                self._answer(200, b"ok")
                self.close_connection = True
            case "echo":
                self._answer(200, sent)
            case "headers":
                self._answer(500, f"{self.requestline}\n{self.headers}".encode())
            case "redirect":
                self._answer(302, b"", Location=query["to"][0])
            case "parts" | "late" | "long":
                self._answer_slowly(name, int(query["n"][0]))
            case _ if name.isdecimal() or not name:
                self._answer(int(name or 200), b"ok")
            case _:
                self._fail(name)

    do_POST = do_PUT = do_GET  # noqa: N815 - as http.server calls them

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send_last(body)

    def _send_last(self, part: bytes) -> None:
        self.server.answered_ns[self.path] = self.arrived_ns, time.monotonic_ns()
        self.wfile.write(part)

    def _answer_slowly(self, name: str, number: int) -> None:
        """Send the rest of the answer later; ``late``: all of it; ``long``: more than announced."""
        self.server.released.wait(LATE_S if name == "late" else 0)
        body = f"number {number};".encode()
        with suppress(OSError):  # nobody waits for what is late
            self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
            self.wfile.write(body[:3])
            self.server.released.wait(number % 4 / 100)
            self._send_last(body[3:] + (b"HTTP/1.1 200 OK\r\n" if name == "long" else b""))

    def _fail(self, name: str) -> None:
        """Give no whole answer."""
        self.close_connection = True
        if name in {"cut", "torn", "stall"}:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        if name == "chunk":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf")
        if name == "garbage":
            self.wfile.write(b"no HTTP\r\n\r\n")
        if name in {"slow", "stall"}:
            self.server.released.wait(30)
        if name in {"reset", "torn"}:
            linger = struct.pack("ii", 1, 0)  # closing then resets the connection
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            os.close(self.connection.detach())


@contextmanager
def answering(context: ssl.SSLContext | None = None) -> Iterator[Answering]:
    """Serve for the block; with a context, as https."""
    server = Answering()
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
