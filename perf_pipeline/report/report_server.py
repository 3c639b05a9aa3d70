"""Serves reports and a list of runs on loopback, because a browser opens no ``file:`` link.

Only ``/``, the pages of a run (``/RUN/report.html``, ``/RUN/capacity.html``), of a comparison
(``/comparisons/ID.html``), of its profile (``/profiles/ID.html``) and of a history
(``/trends/NAME.html``) are served, to this machine, without leave to load or send anything: what a
report holds came from targets and servers.
"""

from __future__ import annotations

import re
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from perf_pipeline.report.report_places import HOST
from perf_pipeline.report.run_index import render_index
from perf_pipeline.samples.run_file import read_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*"
_PATH = re.compile(
    rf"/(?:({_NAME})/((?:report|capacity)\.html)|(comparisons|profiles|trends)/({_NAME}\.html))"
)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_NOT_HERE = (
    "There is no such report in the results folders that are served here; / lists the runs of "
    "those. For the runs of another folder: make ui RESULTS=FOLDER\n"
)


def report_server(
    results: Path, port: int, others: Callable[[], Sequence[Path]] = lambda: ()
) -> ThreadingHTTPServer:
    """Make the server of a results folder's reports; the caller serves and closes it.

    Args:
        results: The results folder; it may not exist yet.
        port: Where to listen; 0 for any free port.
        others: Returns further results folders whose reports are served; asked at each request.

    Raises:
        OSError: Something else listens there.
    """

    def folders() -> list[Path]:
        return list(dict.fromkeys(folder.resolve() for folder in (results, *others())))

    return ThreadingHTTPServer((HOST, port), partial(_ReportHandler, folders))


class _ReportHandler(BaseHTTPRequestHandler):
    """Answers with a report, with the list of runs, or with 404."""

    def __init__(self, folders: Callable[[], list[Path]], *connection: Any) -> None:
        """Answer the requests of a connection.

        Args:
            folders: Returns the results folders, each once.
            connection: What the server gives its handlers.
        """
        self._folders = folders
        super().__init__(*connection)

    def do_GET(self) -> None:
        """Answer a request for a page."""
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
        if host not in {HOST, "localhost"}:
            return None
        if self.path == "/":
            return render_index(self._folders()).encode()
        found = _PATH.fullmatch(self.path)
        return found and self._page(found[1] or found[3], found[2] or found[4])

    def _page(self, name: str, file: str) -> bytes | None:
        """Return a page from the first results folder that has it in a folder of this name."""
        for results in self._folders():
            folder = results / name
            try:
                if not folder.is_symlink():
                    return read_file(folder / file)
            except OSError:
                continue
        return None
