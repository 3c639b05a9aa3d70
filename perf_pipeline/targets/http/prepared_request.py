"""A request that is ready to be sent: its headers filled in, its templates taken apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from perf_pipeline.config.http.header_checks import is_sendable
from perf_pipeline.config.http.http_request import VARIABLE
from perf_pipeline.targets.target import WrongResultError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.http.http_request import HttpRequest

_FIRST_FAILURE = 400
"""From this status on a server says that a request failed (RFC 9110, section 15)."""
_USER_AGENT = ("User-Agent", "perf_pipeline")
_SHOWN_CHARACTERS = 160


class FailedStatusError(Exception):
    """The server said that the request failed, where that was not expected.

    Attributes:
        status: The status of its answer.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class PreparedRequest:
    """One kind of request.

    Attributes:
        is_tls: True for https.
        host: Where it is sent.
        port: Likewise.
        is_own_host: Its address need be neither loopback nor private.
        is_kept_alive: The connection stays open after the answer.
        place: Requests that share a connection of a slot have the same.
        timeout_s: Limit of connecting, and of each wait for a part of the answer.
        method: Of the request.
        headers: With what the variables hold.
    """

    def __init__(
        self, name: str, request: HttpRequest | None, seed: int, environ: Mapping[str, str]
    ) -> None:
        """Fill in the seed and the variables.

        Args:
            name: For messages.
            request: What is sent.
            seed: Of the run.
            environ: Environment of this process.

        Raises:
            ValueError: There is no request, or a variable is missing or cannot be the value of a
                header; no text holds a value.
        """
        if request is None:
            raise ValueError(f"{name}: the target http sends requests; give [[requests]]")
        parts = urlsplit(request.url)
        self.is_tls = parts.scheme == "https"
        self.host = request.host
        self.port = request.port
        self.is_own_host = request.is_own_host
        self.is_kept_alive = request.connection == "keep_alive"
        self.place = (self.is_tls, self.host, self.port, self.is_own_host, self.is_kept_alive)
        self.timeout_s = request.timeout_s
        self.method = request.method
        self.headers = dict(_filled(name, *header, environ) for header in request.headers)
        if not any(header.lower() == _USER_AGENT[0].lower() for header in self.headers):
            self.headers[_USER_AGENT[0]] = _USER_AGENT[1]
        if not self.is_kept_alive:
            self.headers["Connection"] = "close"
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        self._path, self._body, self._text = (
            template.replace("{seed}", str(seed))
            for template in (path, request.body, request.expect_text)
        )
        self._status = request.expect_status
        self._json = json.loads(request.expect_json) if request.expect_json else None

    def path(self, number: int) -> str:
        """Return path and query of workflow ``number``."""
        return self._path.replace("{number}", str(number))

    def body(self, number: int) -> bytes | None:
        """Return what workflow ``number`` sends; None for nothing."""
        return self._body.replace("{number}", str(number)).encode() if self._body else None

    def check(self, number: int, status: int, answer: bytes) -> None:
        """Compare an answer with the right one.

        Raises:
            FailedStatusError: By its status the server failed, or refused the request.
            WrongResultError: Any other difference; both with the beginning of the answer.
        """
        if status != self._status:
            text = f"status {status}, expected {self._status}: {_shown(answer)}"
            if status >= _FIRST_FAILURE:
                raise FailedStatusError(status, text)
            raise WrongResultError(text)
        if self._text:
            wanted = self._text.replace("{number}", str(number))
            if wanted.encode() not in answer:
                raise WrongResultError(f"the answer lacks {wanted!r}: {_shown(answer)}")
        if self._json is not None:
            try:
                found = json.loads(answer)
            except ValueError as error:
                raise WrongResultError(f"the answer is no JSON: {_shown(answer)}") from error
            if lacking := _lacking(found, self._json, "the answer"):
                raise WrongResultError(f"{lacking}: {_shown(answer)}")


def _filled(name: str, header: str, value: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return a header with what its variables hold."""
    for variable in VARIABLE.findall(value):
        if variable not in environ:
            raise ValueError(f"{name}: the header {header} names {variable}, which is not set")
    filled = VARIABLE.sub(lambda found: environ[found[1]], value)
    if not is_sendable(filled):
        raise ValueError(
            f"{name}: the header {header} holds a line break or a letter outside of Latin-1 once "
            "its variables are filled in"
        )
    return header, filled


def _lacking(found: Any, wanted: Any, where: str) -> str:
    """Return where what was found lacks something; empty where it has all members wanted."""
    if not isinstance(wanted, dict):
        same = found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
        return "" if same else f"{where} is not {json.dumps(wanted)}"
    if not isinstance(found, dict):
        return f"{where} is no object"
    for name, value in wanted.items():
        if name not in found:
            return f"{where} has no {name}"
        if lacking := _lacking(found[name], value, f"{where}.{name}"):
            return lacking
    return ""


def _shown(answer: bytes) -> str:
    text = answer.decode("utf-8", errors="replace")
    if len(text) <= _SHOWN_CHARACTERS:
        return repr(text)
    return f"{text[:_SHOWN_CHARACTERS]!r}... ({len(answer)} bytes)"
