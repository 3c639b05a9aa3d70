"""Real servers on loopback that keep what they were sent: of HTTP and of SMTP."""

from __future__ import annotations

import json
import socketserver
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class WebServer:
    """A web server that takes every POST.

    Attributes:
        port: Where it listens.
        status: What it answers with from now on.
        answer: Likewise.
        requests: Path, headers and JSON of what came.
        released: It answers once this is set.
    """

    port: int = 0
    status: int = 200
    answer: str = "ok"
    requests: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class _WebHandler(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    server: _Web

    def do_POST(self) -> None:
        kept = self.server.kept
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kept.requests.append((self.path, dict(self.headers), json.loads(body)))
        kept.released.wait()
        self.send_response(kept.status)
        if kept.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(kept.answer.encode())

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


class _Web(ThreadingHTTPServer):
    def __init__(self, kept: WebServer) -> None:
        super().__init__(("127.0.0.1", 0), _WebHandler)
        self.kept = kept

    def handle_error(self, *_: Any) -> None:
        """Print nothing: a client may break off."""


@contextmanager
def web_server() -> Iterator[WebServer]:
    """Serve until the end of the block."""
    kept = WebServer()
    kept.released.set()
    with _Web(kept) as server:
        kept.port = server.server_port
        with _serving(server):
            try:
                yield kept
            finally:
                kept.released.set()


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@dataclass
class MailServer:
    """A mail server that takes every email.

    Attributes:
        context: Of TLS; None to offer none.
        is_tls: TLS from the first byte, instead of STARTTLS.
        port: Where it listens.
        refused: Recipients that it does not take.
        emails: Whole texts that came.
        commands: All lines of the sessions that are no text of an email.
        encrypted: Whether each email came through TLS.
    """

    context: ssl.SSLContext | None = None
    is_tls: bool = False
    port: int = 0
    refused: tuple[str, ...] = ()
    emails: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)


class _MailHandler(socketserver.StreamRequestHandler):
    """One session."""

    server: _Mail

    def setup(self) -> None:
        if self.server.kept.is_tls:
            self.encrypt()
        super().setup()

    def encrypt(self) -> None:
        assert self.server.kept.context is not None
        self.request = self.server.kept.context.wrap_socket(self.request, server_side=True)

    def answer(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.answer("220 test")
        while line := self.rfile.readline().decode().strip():
            self.server.kept.commands.append(line)
            word = line.split()[0].upper()
            if word == "DATA":
                self.take_email()
            elif word == "STARTTLS":
                self.answer("220 go ahead")
                self.encrypt()
                super().setup()
            else:
                self.answer(self.reply(word, line))

    def reply(self, word: str, line: str) -> str:
        kept = self.server.kept
        if word == "EHLO":
            is_encrypted = isinstance(self.request, ssl.SSLSocket)
            offered = "250-STARTTLS\r\n" if kept.context and not is_encrypted else ""
            return f"250-test\r\n250-AUTH PLAIN\r\n{offered}250 8BITMIME"
        if any(one in line for one in kept.refused):
            return "550 nobody here"
        return {"AUTH": "235 welcome", "QUIT": "221 bye"}.get(word, "250 fine")

    def take_email(self) -> None:
        self.answer("354 go on")
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line)
        self.server.kept.emails.append("\n".join(lines))
        self.server.kept.encrypted.append(isinstance(self.request, ssl.SSLSocket))
        self.answer("250 taken")


class _Mail(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, kept: MailServer) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.kept = kept

    def handle_error(self, *_: Any) -> None:
        """Print nothing: a client may break off."""


@contextmanager
def mail_server(
    context: ssl.SSLContext | None = None, *, is_tls: bool = False
) -> Iterator[MailServer]:
    """Serve until the end of the block."""
    kept = MailServer(context, is_tls)
    with _Mail(kept) as server:
        kept.port = server.server_address[1]
        with _serving(server):
            yield kept
