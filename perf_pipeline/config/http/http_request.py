"""One kind of HTTP request: what is sent, on which connection, and which answer is right.

Imported in the target's process as well: standard library only.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Connection = Literal["keep_alive", "new"]

CONNECTIONS: tuple[Connection, ...] = ("keep_alive", "new")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SCHEMES = ("http", "https")
PLACEHOLDERS = ("{number}", "{seed}")
"""Replaced by the workflow's number and the run's seed in the URL's path and query, the body and
``expect_text``."""

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
"""In the value of a header: the value of a variable of the environment."""


@dataclass(frozen=True)
class HttpRequest:
    """One kind of request.

    Attributes:
        url: Where it is sent; ``PLACEHOLDERS`` may stand behind the host.
        method: One of ``METHODS``.
        headers: Name and value; a value may name variables as ``${NAME}``, and only the worker
            process puts in what they hold.
        body: Template of what is sent; empty for nothing.
        expect_status: Status of the right answer.
        expect_text: Template of what the right answer's body contains; empty for any.
        expect_json: JSON of an object whose members the right answer has; empty for any.
        connection: ``keep_alive``: each slot keeps its connection; ``new``: one for each request.
        timeout_s: How long connecting, and each wait for a part of the answer, may take.
        is_own_host: Whoever started the run said that the host is theirs, so its addresses need
            be neither loopback nor private.
    """

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    expect_status: int = 200
    expect_text: str = ""
    expect_json: str = ""
    connection: Connection = "keep_alive"
    timeout_s: float = 30.0
    is_own_host: bool = False

    @property
    def host(self) -> str:
        """Host of the URL, in lower case and without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """Port of the URL, or that of its scheme."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def origin(self) -> str:
        """Scheme, host and port of the URL, as it has them: ``http://127.0.0.1:8000``."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def variables(self) -> tuple[str, ...]:
        """Variables that its headers name."""
        found = (name for _, value in self.headers for name in VARIABLE.findall(value))
        return tuple(dict.fromkeys(found))
