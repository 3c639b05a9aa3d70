"""The protocol between the worker and the runtime under test.

A target named ``x`` is the module ``perf_pipeline.targets.x.adapter`` with two functions,
``open_target(job: Job) -> Target`` and ``classify(error: BaseException) -> ErrorClass``, and a
file ``target.toml`` beside it: its mode and settings. In the mode ``asyncio``, ``open_target`` is
a coroutine function that gives an ``AsyncTarget``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from perf_pipeline.logs.log import NO_LOG, LogContext

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.http.http_request import HttpRequest
    from perf_pipeline.samples.record import ErrorClass


class WrongResultError(Exception):
    """A node's result is missing or not what its inputs give; the text names the node."""


@dataclass(frozen=True)
class Kind:
    """One kind of workflow: a family at a complexity.

    Attributes:
        family: What it does; or a user's own function, ``module:function``; or the name of a
            request.
        complexity: How many nodes it has; empty for a function or a request.
        without: Unavailable servers; it is built without the nodes that write to them.
        data: File with a row for each call of the function; empty for none.
        data_sha256: Of its content.
        request: What is sent; None for what a runtime here executes.
    """

    family: str
    complexity: str
    without: tuple[str, ...] = ()
    data: str = ""
    data_sha256: str = ""
    request: HttpRequest | None = None

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Kind:
        """Read what ``dataclasses.asdict`` and JSON made of it."""
        # JSON knows no tuple, and a kind must be hashable.
        request = values.get("request")
        if request is not None:
            from perf_pipeline.config.http.http_request import (  # noqa: PLC0415 - one target's
                HttpRequest,
            )

            headers = tuple((name, value) for name, value in request["headers"])
            request = HttpRequest(**{**request, "headers": headers})
        return cls(**{**values, "without": tuple(values["without"]), "request": request})


class ServerAddress(NamedTuple):
    """Where one server is, and where the run's data are on it.

    Attributes:
        url: With the password.
        name: Of the run's data there: a schema, a table, a prefix of keys or a collection; empty
            if the run stores nothing there.
        is_pooler: What answers there is a pooler that takes no options for a session of the
            server.
    """

    url: str
    name: str = ""
    is_pooler: bool = False


@dataclass(frozen=True)
class ServerAccess:
    """The servers that workflows may use, and how much of them this process may take.

    Attributes:
        addresses: Service to the address of its server.
        connections: The maximum number of connections that this process opens to each server.
        connection_timeout_s: How long a workflow waits for a free connection.
        files_dir: Folder for the files that workflows read.
        transaction_think_time_s: How long a unit of work of the database family thinks while its
            transactions are open.
    """

    addresses: Mapping[str, ServerAddress]
    connections: int
    connection_timeout_s: float
    files_dir: str = ""
    transaction_think_time_s: float = 0.0

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ServerAccess:
        """Read what ``dataclasses.asdict`` and JSON made of it."""
        addresses = {name: ServerAddress(*one) for name, one in values["addresses"].items()}
        return cls(**{**values, "addresses": addresses})

    def url(self, service: str) -> str | None:
        """Return the URL of a service's server; None if there is no such server."""
        address = self.addresses.get(service)
        return address.url if address is not None else None

    def name(self, service: str) -> str:
        """Return the name of the run's data on a service's server; empty if there are none."""
        address = self.addresses.get(service)
        return address.name if address is not None else ""


@dataclass(frozen=True)
class Job:
    """What a worker's target has to execute.

    Attributes:
        kinds: The kinds of workflow; a workflow names its kind by the index.
        nodes: ``code`` or ``lean``: how the workflows are written.
        seed: Seed of the run; with a workflow's number it gives the workflow's data.
        run_id: The run; part of everything that is written.
        level: Index of the level, likewise.
        servers: The servers, and this process's share of them.
        settings: Every setting of the target's ``target.toml``, given or default.
        concurrency: Workflows in flight in this process.
        log_detail: What the target logs goes to standard error.
        setup: Function of the user's that each worker process calls before its first workflow,
            ``module:function``; empty for none.
        teardown: Likewise, after its last workflow.
        log: What this process logs with.
    """

    kinds: tuple[Kind, ...]
    nodes: str
    seed: int
    run_id: str
    level: int
    servers: ServerAccess
    settings: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    concurrency: int = 1
    log_detail: bool = False
    setup: str = ""
    teardown: str = ""
    log: LogContext = NO_LOG


class Slot(Protocol):
    """What one thread uses to execute one workflow after the other."""

    def execute(self, kind: int, number: int) -> None:
        """Execute workflow ``number`` of the kind with index ``kind`` and check its results.

        Raises:
            WrongResultError: A node's result is missing or wrong.
            Exception: Whatever the target raised.
        """


class Target(Protocol):
    """The runtime in one worker process; made once, before any thread."""

    def open_slot(self) -> Slot:
        """Make what one thread needs; called in that thread, and used until ``close``."""

    def close(self) -> None:
        """Release everything; called once, after every thread has ended."""


class AsyncSlot(Protocol):
    """What one task uses to execute one workflow after the other."""

    async def execute(self, kind: int, number: int) -> None:
        """As ``Slot.execute``."""


class AsyncTarget(Protocol):
    """The runtime in one worker process, on one event loop.

    Attributes:
        at_once: Maximum number of workflows that the runtime executes at once, while it queues the
            others; None when there is no bound.
    """

    at_once: int | None

    def open_slot(self) -> AsyncSlot:
        """Make what one task needs; called on the event loop, and used until ``close``."""

    def executing(self) -> int | None:
        """Return how many workflows the runtime executes now and has not queued; any thread.

        None when that is not known.
        """

    async def close(self) -> None:
        """Release everything; called once, after every task has ended."""


class Adapter(Protocol):
    """What the module ``perf_pipeline.targets.<name>.adapter`` offers in the mode ``threads``."""

    def open_target(self, job: Job) -> Target:
        """Import the runtime and build the workflows of ``job``."""

    def classify(self, error: BaseException) -> ErrorClass:
        """Return the error class of an exception."""


class AsyncAdapter(Protocol):
    """The same in the mode ``asyncio``."""

    async def open_target(self, job: Job) -> AsyncTarget:
        """Import the runtime and build the workflows of ``job``; on the event loop."""

    def classify(self, error: BaseException) -> ErrorClass:
        """Return the error class of an exception."""
