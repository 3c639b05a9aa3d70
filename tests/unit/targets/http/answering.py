"""A loopback service of the test's own, which answers as its path says and counts connections."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator


class Answering(ThreadingHTTPServer):
    """``/200``: that status; ``/echo``: what was sent; ``/slow``: nothing; ``/cut``: half."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections = 0
        self.requests: list[str] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(self.path)
        name = parts.path.strip("/")
        match name:
            case "slow":
                self.server.released.wait(30)
                self.close_connection = True
            case "cut":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
                self.close_connection = True
            case "garbage":
                self.wfile.write(b"no HTTP\r\n\r\n")
                self.close_connection = True
            case "once":  # says nothing of it, as a server that restarts
                self._answer(200, b"ok")
                self.close_connection = True
            case "echo":
                self._answer(200, sent)
            case "headers":
                self._answer(500, str(self.headers).encode())
            case "redirect":
                self._answer(302, b"", Location=parse_qs(parts.query)["to"][0])
            case _:
                self._answer(int(name or 200), b"ok")

    do_POST = do_PUT = do_GET  # noqa: N815 - as http.server calls them

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


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
