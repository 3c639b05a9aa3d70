"""Elasticsearch or OpenSearch over HTTP: the few requests that shipping logs needs.

Both answer them alike, which their own clients do not: that of Elasticsearch refuses OpenSearch.
"""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.redaction.redact import redacted, remember_url

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TIMEOUT_S = 30.0
_RETRY = {408, 429, 500, 502, 503, 504}
_OK = 300
_SHOWN = 300


class StoreError(PerfPipelineError):
    """The store refuses what was sent for good, such as a wrong password."""


class StoreBusyError(PerfPipelineError):
    """The store is down or asks to wait; the same request may succeed later.

    Attributes:
        retry_after_s: What the store asked for; None if it did not.
    """

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        """Say what happened."""
        super().__init__(text)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True)
class Answer:
    """An answer of the store: its status, and its body as JSON."""

    status: int
    body: Any


class Store:
    """One address; a connection a request, so that a restarted store is found again."""

    def __init__(self, url: str, timeout_s: float = TIMEOUT_S) -> None:
        """Use the store at ``url``, which may have a login; a password is in no text of ours.

        Raises:
            StoreError: It is no HTTP URL.
        """
        remember_url(url)
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise StoreError(
                f"{redacted(url)} is no address of a store: http://user:password@host:9200"
            )
        is_tls = parts.scheme == "https"
        self.shown = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if is_tls else 80)}"
        self._parts = parts
        self._timeout_s = timeout_s
        self._headers = {"Accept": "application/json"}
        if parts.username:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            encoded = base64.b64encode(login.encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request.

        Returns:
            Its answer, unless that asks to come again; also one with an error.

        Raises:
            StoreBusyError: The store cannot be reached, or asks to come again.
        """
        parts = self._parts
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        connection = kind(parts.hostname or "", parts.port, timeout=self._timeout_s)
        sent = {
            **self._headers,
            **({"Content-Type": content_type} if body else {}),
            **(headers or {}),
        }
        try:
            connection.request(method, parts.path.rstrip("/") + path, body, sent)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            why = redacted(str(error)) or type(error).__name__
            raise StoreBusyError(f"{self.shown} cannot be reached: {why}") from error
        finally:
            connection.close()
        if answer.status in _RETRY:
            asked = answer.getheader("Retry-After", "")
            wait_s = float(asked) if asked.isdecimal() else None
            raise StoreBusyError(f"{self.shown} answers {answer.status}: {_start(text)}", wait_s)
        return Answer(answer.status, _json(text))

    def put(self, path: str, document: Mapping[str, Any]) -> None:
        """Store a template or a policy.

        Raises:
            StoreError: It is refused.
            StoreBusyError: As ``request``.
        """
        answer = self.request("PUT", path, json.dumps(document).encode())
        if answer.status >= _OK:
            raise self.refusal(f"PUT {path}", answer)

    def bulk(self, lines: Sequence[bytes]) -> Answer:
        """Send lines of ``_bulk``.

        Raises:
            StoreBusyError: As ``request``.
        """
        return self.request("POST", "/_bulk", b"".join(lines), content_type="application/x-ndjson")

    def refusal(self, what: str, answer: Answer) -> StoreError:
        """Return the error of an answer that will be the same the next time."""
        text = redacted(json.dumps(answer.body))
        return StoreError(f"{self.shown} refuses {what} with {answer.status}: {text[:_SHOWN]}")


def _json(text: bytes) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return _start(text)


def _start(text: bytes) -> str:
    return redacted(text[:_SHOWN].decode(errors="replace"))
