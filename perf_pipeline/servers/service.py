"""The protocol of a service: what PostgreSQL, MySQL, Redis and MongoDB each implement in a folder.

A service named ``x`` is one row in ``config.services`` and the module
``perf_pipeline.servers.x.service``, whose functions make it a ``Service``. Everything else takes a
service by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.redaction.redact import remember_url

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.samples.manifest import ServerSource
    from perf_pipeline.servers.probe import Probe
    from perf_pipeline.servers.server import Facts


@dataclass(frozen=True)
class Installation:
    """Where a server's programs were found.

    Attributes:
        source: ``machine`` or ``bundle``.
        program: The server's own program.
    """

    source: ServerSource
    program: Path


@dataclass(frozen=True)
class Launch:
    """How to start one server; see ``LaunchSpec`` for the fields of the same name."""

    url: str
    files: dict[str, str]
    prepare: list[list[str]]
    serve: list[str]
    stop_signal: int
    lock_file: str | None

    def __post_init__(self) -> None:
        """Have the password removed from every text of this process from now on."""
        remember_url(self.url)


class Storage(Protocol):
    """The data of a run on a server, under one name that belongs to the run.

    The name is a schema in PostgreSQL, a table in MySQL, a prefix of keys in Redis and a
    collection in MongoDB. Every function raises ``NotAnsweringError`` when the server refuses or
    fails.

    Attributes:
        NEEDED_PRIVILEGES: What the URL's user must be allowed to do, and how it is granted.
    """

    NEEDED_PRIVILEGES: str

    def storage_name(self, run_id: str) -> str:
        """Return the name under which a run stores its data."""

    def try_out(self, url: str, name: str) -> None:
        """Do what needs a privilege, with little data under a name, and leave nothing."""

    def create(self, url: str, name: str, seed: int) -> int:
        """Make what workflows write to, and fill what they read.

        Args:
            url: The server; its user must be allowed to create ``name``.
            name: Must not exist yet.
            seed: Seed of the run; decides the rows.

        Returns:
            Rows that workflows will read.
        """

    def written_numbers(self, url: str, name: str, run_id: str, level: int) -> set[int]:
        """Return the numbers of the workflows of a load level whose write is on the server."""

    def settle(self, url: str, name: str) -> str:
        """Bring the data to the state in which every load level begins: no results of the last.

        Returns:
            What was done, for the report. Caches stay as warm as the levels before left them.
        """

    def drop(self, url: str, name: str) -> object:
        """Remove everything under a name; a name that does not exist is fine."""


class Startable(Protocol):
    """What is started as one process with a folder and a port of its own.

    Attributes:
        NAME: Of its file in the state folder.
    """

    NAME: str

    def launch(self, installation: Installation, folder: Path, port: int) -> Launch:
        """Return how to start it on a loopback port with its data in ``folder``."""

    def identify(self, url: str, timeout_s: float) -> Facts:
        """Ask it for its product, version and settings, by a real query.

        Raises:
            NotAnsweringError: It did not answer, or not well.
        """

    def data_folder(self, url: str, timeout_s: float) -> str:
        """Ask where its data are: distinguishes ours from another on the same port.

        Raises:
            NotAnsweringError: It did not answer, or this user may not know.
        """


class Service(Startable, Protocol):
    """One service: how its servers are found, started, identified, filled and watched.

    Attributes:
        NAME: Its row in ``config.services``.
        HOW_TO_INSTALL: Commands that install it, for the sentence of ``how_to_get``.
        DEBIAN_PACKAGE: Debian's package of it that ``lifecycle.debian`` obtains; None for none.
        storage: What a run stores on a server of it.
    """

    HOW_TO_INSTALL: str
    DEBIAN_PACKAGE: str | None

    @property
    def storage(self) -> Storage:
        """What a run stores on a server of it."""

    def installations(self, settings: Settings) -> list[Installation]:
        """Find the programs, the best first: on the machine, then in the Python environment."""

    def complete_url(self, url: str, current_dir: Path) -> str:
        """Return the URL of a user's server as worker processes need it.

        They have another HOME and another folder, and no variables of the user's session. What is
        returned is complete itself: completed again, it stays as it is.

        Args:
            url: As the settings have it, its form checked.
            current_dir: What relative paths are relative to.

        Raises:
            AddressError: The driver does not take it.
        """

    def tcp_addresses(self, url: str) -> list[tuple[str, int]]:
        """Return host and port of each TCP address that a complete URL names; Unix sockets none."""

    def connection_count(self, url: str, timeout_s: float) -> int:
        """Count the connections of all programs to a server, without those of this question.

        Raises:
            NotAnsweringError: It did not answer.
        """

    def open_probe(self, url: str, connection_name: str) -> Probe:
        """Make the probe of a server under load; nothing is opened yet.

        Args:
            url: The server.
            connection_name: The name that the connections of the run's workers carry.
        """


class NotAnsweringError(ServiceUnavailableError):
    """A server answered a query with an error or not at all; the text is the server's own."""


class AddressError(ServiceUnavailableError):
    """A driver does not take the URL of a user's server; the text is a predicate of the URL."""


def find_service(name: str) -> Service:
    """Return the implementation of a service; imports its driver.

    Raises:
        KeyError: ``config.services`` has no such row.
    """
    module = SERVICES[name].module or f"perf_pipeline.servers.{name}.service"
    return cast("Service", import_module(module))


def how_to_get(name: str) -> str:
    """Return the sentence about how to get a server of a service."""
    spec = SERVICES[name]
    install = find_service(name).HOW_TO_INSTALL
    return f"{spec.label}: {install}, or set {spec.url_variable}={spec.example_url}."
