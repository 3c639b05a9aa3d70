"""What the server answers with: a page, a file of a run, or why there is none."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from http import HTTPStatus

from perf_pipeline.report.page_environment import page_environment, page_script

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Of the dashboard's own pages: nothing inline, and nothing from elsewhere."""


@dataclass(frozen=True)
class PageAnswer:
    """An answer to a request.

    Attributes:
        body: The content.
        kind: Its media type; text is UTF-8.
        status: Of HTTP.
        policy: What the page may load: a Content-Security-Policy.
        leads_to: Where the reader is sent instead; empty for nowhere.
    """

    body: bytes = b""
    kind: str = "text/html"
    status: HTTPStatus = HTTPStatus.OK
    policy: str = PAGE_POLICY
    leads_to: str = ""


def redirect(path: str) -> PageAnswer:
    """Send the reader to another page of this server."""
    return PageAnswer(status=HTTPStatus.SEE_OTHER, leads_to=path)


@cache
def report_policy() -> str:
    """Return the policy of stored pages, which may come from somebody else's archive.

    Only the script that this version writes runs, and in an origin of its own: a page in the place
    of a report reads no other page of this server.
    """
    script = page_script(page_environment())
    digest = b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "sandbox allow-scripts allow-popups allow-popups-to-escape-sandbox"
    )
