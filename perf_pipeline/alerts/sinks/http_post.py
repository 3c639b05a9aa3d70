"""Posts JSON to a web server, and takes nothing but a success for one."""

from __future__ import annotations

import base64
import http.client
import json
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from perf_pipeline.alerts.sinks.sink import TIMEOUT_S, SinkError
from perf_pipeline.report.text.escape import visible

if TYPE_CHECKING:
    from typing import IO

_ANSWER_BYTES = 300


class _NoRedirects(HTTPRedirectHandler):
    """A redirected POST would become a GET, which announces nothing."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> None:
        """Follow none."""


def post_json(name: str, url: str, value: object) -> None:
    """Post a value.

    Args:
        name: Of the sink, for errors.
        url: ``http`` or ``https``, perhaps with a login; nothing of it but the host is shown.
        value: JSON.

    Raises:
        SinkError: The server did not take it.
    """
    parts = urlsplit(url)
    headers = {"Content-Type": "application/json", "User-Agent": "perf_pipeline"}
    if parts.username:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    address = parts.netloc.rpartition("@")[2]
    plain = urlunsplit((parts.scheme, address, parts.path, parts.query, ""))
    request = Request(plain, json.dumps(value).encode(), headers, method="POST")  # noqa: S310
    where = f"{name}: {parts.scheme}://{address}"
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
            answer.read(_ANSWER_BYTES)
    except HTTPError as error:
        with error:
            said = error.read(_ANSWER_BYTES).decode(errors="replace").strip()
        raise SinkError(f"{where} answered {error.code}: {visible(said)}") from None
    except (URLError, OSError, http.client.HTTPException) as error:
        why = error.reason if isinstance(error, URLError) else error
        raise SinkError(f"{where} could not be reached: {visible(why)}") from None
