"""The web server of reports and dashboard: read-only, on loopback unless somebody asks otherwise.

A page elsewhere may have its own name resolve to this machine (DNS rebinding), so a request must
name this server by an address, ``localhost``, or the name in PERF_PIPELINE_REPORTS_URL.
"""

from __future__ import annotations

import socket
import sys
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from perf_pipeline.dashboard.page_answer import PageAnswer
from perf_pipeline.report.report_places import HOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.dashboard.site import Site

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_NOT_OURS = PageAnswer(
    b"This server is called by its address or localhost; another name for it goes into "
    b"PERF_PIPELINE_REPORTS_URL.\n",
    "text/plain",
    HTTPStatus.MISDIRECTED_REQUEST,
)
_READ_ONLY = PageAnswer(
    b"These pages are read-only: GET and HEAD.\n", "text/plain", HTTPStatus.METHOD_NOT_ALLOWED
)


def dashboard_server(site: Site, port: int, host: str = HOST) -> ThreadingHTTPServer:
    """Make the server of a site; the caller serves and closes it.

    Args:
        site: What it shows.
        port: Where to listen; 0 for any free port.
        host: Address to listen on.

    Raises:
        OSError: Something else listens there, or the address is not this machine's.
    """
    kind = _ServerOfIPv6 if ":" in host else _Server
    return kind((host, port), partial(_PageHandler, site))


class _Server(ThreadingHTTPServer):
    """Serves each connection in a thread."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a reader who left; anything else is a defect of ours, and is shown."""
        if not isinstance(sys.exception(), (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _ServerOfIPv6(_Server):
    address_family = socket.AF_INET6


class _PageHandler(BaseHTTPRequestHandler):
    """Answers GET and HEAD with a page of the site."""

    timeout = 30  # a reader who sends nothing holds a thread no longer
    server_version, sys_version = "perf_pipeline", ""

    def __init__(self, site: Site, *connection: Any) -> None:
        """Answer the requests of a connection.

        Args:
            site: What is shown.
            connection: What the server gives its handlers.
        """
        self._site = site
        super().__init__(*connection)

    def do_GET(self) -> None:
        """Answer with a page."""
        self._send(self._answer())

    def do_HEAD(self) -> None:
        """Answer with the head of a page."""
        self._send(self._answer(), with_body=False)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Refuse every other method: its handler is looked for under its name."""
        if name.startswith("do_"):
            return lambda: self._send(_READ_ONLY)
        raise AttributeError(name)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: the terminal is the user's."""

    def _answer(self) -> PageAnswer:
        names = {"localhost", self._site.public_host}
        if not _names_us(self.headers.get_all("Host") or [], names):
            return _NOT_OURS
        return self._site.answer(self.path)

    def _send(self, answer: PageAnswer, *, with_body: bool = True) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", f"{answer.kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("Content-Security-Policy", answer.policy)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        if answer.leads_to:
            self.send_header("Location", answer.leads_to)
        if answer.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        self.end_headers()
        if with_body:
            self.wfile.write(answer.body)


def _names_us(hosts: list[str], names: set[str | None]) -> bool:
    """Return whether a request has one Host that is an address or one of the names."""
    try:
        (host,) = (urlsplit(f"//{one}").hostname or "" for one in hosts)
        return host in names or bool(ip_address(host))
    except ValueError:  # none, several, or a foreign name
        return False
