"""Serves the reports of a results folder on loopback, because a browser opens no ``file:`` link.

Only ``/RUN/report.html`` and ``/RUN/capacity.html`` are served, to this machine, without leave to
load or send anything: what a report holds came from targets and servers.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from perf_pipeline.samples.run_file import read_file

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"
_PATH = re.compile(r"/([A-Za-z0-9][A-Za-z0-9_.-]*)/(report|capacity)\.html")
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_NOT_HERE = (
    "There is no such report in the results folder that is served here. For the runs of another "
    "folder: make ui RESULTS=FOLDER\n"
)


def report_url(run_id: str, port: int, *, page: str = "report") -> str:
    """Return where a run's report, or its page ``capacity``, is while the server runs."""
    return f"http://{HOST}:{port}/{run_id}/{page}.html"


def report_server(results: Path, port: int) -> ThreadingHTTPServer:
    """Make the server of a results folder's reports; the caller serves and closes it.

    Args:
        results: The results folder; it may not exist yet.
        port: Where to listen; 0 for any free port.

    Raises:
        OSError: Something else listens there.
    """

    class Handler(_ReportHandler):
        folder = results

    return ThreadingHTTPServer((HOST, port), Handler)


class _ReportHandler(BaseHTTPRequestHandler):
    """Answers with a report, or with 404."""

    folder: Path

    def do_GET(self) -> None:
        """Answer a request for a report."""
        content = self._content()
        status = HTTPStatus.NOT_FOUND if content is None else HTTPStatus.OK
        body = _NOT_HERE.encode() if content is None else content
        kind = "text/plain" if content is None else "text/html"
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", _POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: the terminal is the UI's."""

    def _content(self) -> bytes | None:
        # A name that a foreign page resolves to this machine must not read reports.
        host = (self.headers.get("Host") or "").partition(":")[0]
        found = _PATH.fullmatch(self.path)
        if host not in {HOST, "localhost"} or found is None:
            return None
        try:
            folder = self.folder / found[1]
            return None if folder.is_symlink() else read_file(folder / f"{found[2]}.html")
        except OSError:
            return None
