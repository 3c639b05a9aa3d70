"""Servers whose requests need not be spelt out: ``server = "kailash"`` in ``[[requests]]``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class KnownServer:
    """What a request to a server has where the scenario does not say otherwise.

    Attributes:
        method: Of the request.
        path: Of a URL that has none.
        headers: Name and value.
        expect_json: Members of the right answer.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    expect_json: Mapping[str, Any] = field(default_factory=dict)

    def url(self, url: str) -> str:
        """Return a URL with the server's path where it has none of its own."""
        try:
            parts = urlsplit(url)
        except ValueError:  # whoever checks the URL says so
            return url
        return parts._replace(path=self.path).geturl() if parts.path in {"", "/"} else url


KNOWN_SERVERS = {
    "kailash": KnownServer(
        method="POST",
        path="/execute",
        headers=(("Content-Type", "application/json"),),
        expect_json={"outputs": {}},
    )
}
"""``kailash``: ``WorkflowAPI(workflow).run()`` of kailash's ``api.workflow_api``, and each workflow
of a ``WorkflowServer`` below ``/workflows/NAME/execute``. The body: ``{"inputs": {NODE: {...}}}``,
the answer ``{"outputs": {NODE: {...}}, ...}``; a node that fails makes it a status of 500. Release
2.65 wants a key, as the header ``X-API-Key``, or a token."""
