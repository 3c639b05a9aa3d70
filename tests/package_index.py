"""A package index on loopback: what it offers can change between two questions."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_JSON = "application/vnd.pypi.simple.v1+json"


@dataclass
class FakeIndex:
    """What the index has, and what it was asked.

    Attributes:
        url: Its address.
        releases: Release to what its file says besides: ``yanked``, ``requires-python``.
        package: Name of the only package.
        is_html: Answer in HTML, as old indexes do.
        wheel_of: Makes the wheel of a release; without it no file can be had.
        asked: Path and ``Authorization`` header of each question.
    """

    url: str = ""
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    package: str = "runtime-x"
    is_html: bool = False
    wheel_of: Callable[[str], bytes] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    def environ(self, **more: str) -> dict[str, str]:
        """Return the variables of a user whose packages come from here."""
        return {"UV_DEFAULT_INDEX": self.url, "PIP_CONFIG_FILE": "/dev/null", **more}

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Return the content type and the content of a page or file; None where there is none."""
        folder = f"/simple/{self.package}/"
        if path == folder:
            kind, text = self.page()
            return kind, text.encode()
        releases = {f"{folder}{self._file(one)}": one for one in self.releases}
        if self.wheel_of is None or path not in releases:
            return None
        return "application/octet-stream", self.wheel_of(releases[path])

    def _file(self, release: str) -> str:
        return f"{self.package.replace('-', '_')}-{release}-py3-none-any.whl"

    def page(self) -> tuple[str, str]:
        """Return the content type and the text of the page of the package."""
        files = {self._file(one): said for one, said in self.releases.items()}
        if not self.is_html:
            rows = [{"filename": file, "url": file, "hashes": {}, **files[file]} for file in files]
            return _JSON, json.dumps({"meta": {"api-version": "1.1"}, "files": rows})
        links = []
        for file, said in files.items():
            python = said.get("requires-python", "").replace(">", "&gt;").replace("<", "&lt;")
            yanked = ' data-yanked="broken"' if said.get("yanked") else ""
            links.append(
                f'<a href="../{file}#sha256=0" data-requires-python="{python}"{yanked}>x</a>'
            )
        return "text/html", "<br>".join(links)


@contextmanager
def serving(releases: dict[str, dict[str, Any]] | None = None) -> Iterator[FakeIndex]:
    """Serve an index while the block runs."""
    index = FakeIndex(releases=dict(releases or {}))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append((self.path, self.headers.get("Authorization", "")))
            with suppress(BrokenPipeError, ConnectionResetError):  # uv wants ranges, or the end
                self.wfile.write(self._head())

        def do_HEAD(self) -> None:
            self._head()

        def _head(self) -> bytes:
            """Send all but the content, and return that."""
            found = index.answer(self.path)
            if found is None:
                self.send_error(404)
                return b""
            kind, content = found
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            return content

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.url = f"http://127.0.0.1:{server.server_address[1]}/simple"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
