"""MongoDB as the workflows see it: one collection behind one bounded client a process.

``MongoClient`` counts what it lends to threads; beside its pool it keeps its own connection to
watch the server, for which ``pools.py`` leaves room in ``ServerAccess.connections``. (By default
it keeps two; polling instead of streaming saves the second.)
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pymongo import CursorType, MongoClient
from pymongo.monitoring import ConnectionPoolListener

from perf_pipeline.steps import step
from perf_pipeline.targets.pools import mongodb_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pymongo import monitoring

    from perf_pipeline.targets.target import Job

_THREADS_END_S = 5.0  # they look every half second whether they should


class PoolWaits(ConnectionPoolListener):
    """Times each wait for a connection of the pool, as a step of the workflow that waits.

    The client calls it in the thread that waits.

    Source:
        MongoDB, Connection Monitoring and Pooling specification, *Events*.
    """

    def __init__(self) -> None:
        """Time nothing yet."""
        self._of_thread = threading.local()

    @contextmanager
    def timed_as(self, name: str) -> Iterator[None]:
        """Time the waits of this thread in the block as steps of a name."""
        self._of_thread.name = name
        try:
            yield
        finally:
            self._of_thread.name = None

    def connection_check_out_started(
        self,
        event: monitoring.ConnectionCheckOutStartedEvent,  # noqa: ARG002 - as the driver calls it
    ) -> None:
        """Begin a wait."""
        if name := getattr(self._of_thread, "name", None):
            self._of_thread.wait = step(name).__enter__()

    def connection_checked_out(
        self,
        event: monitoring.ConnectionCheckedOutEvent,  # noqa: ARG002 - as the driver calls it
    ) -> None:
        """End it with a connection."""
        self._end(None)

    def connection_check_out_failed(
        self,
        event: monitoring.ConnectionCheckOutFailedEvent,  # noqa: ARG002 - as the driver calls it
    ) -> None:
        """End it in vain."""
        self._end(TimeoutError)

    def _end(self, error_type: type[Exception] | None) -> None:
        wait: step | None = getattr(self._of_thread, "wait", None)
        if wait is not None:
            self._of_thread.wait = None
            wait.__exit__(error_type)

    def _pass_over(self, event: object) -> None:
        """Heed no other event."""

    pool_created = pool_ready = pool_cleared = pool_closed = _pass_over
    connection_created = connection_ready = connection_closed = _pass_over
    connection_checked_in = _pass_over


class Documents:
    """The run's collection; safe to share between threads.

    Attributes:
        waits: Times the waits for a connection of its pool.
    """

    def __init__(self, job: Job) -> None:
        """Make the client, which begins to watch the server; its pool is still empty.

        Raises:
            ValueError: The job has no MongoDB, its URL names no database,
                ``ServerAccess.connections`` is below 1, or the run's id cannot be part of a
                connection's name.
        """
        given = job.servers.url("mongodb")
        url = urlsplit(given or "")
        if url.scheme not in {"mongodb", "mongodb+srv"} or not url.path.strip("/"):
            raise ValueError(
                "the workflows need a MongoDB URL that names a database, "
                "mongodb://host:port/database; got "
                f"{'none' if given is None else f'{url.scheme}://...{url.path}'}"
            )
        self.waits = PoolWaits()
        is_timed = any(kind.family == "database" for kind in job.kinds)  # else nobody asks for it
        options = {**mongodb_options(job), "event_listeners": [self.waits] if is_timed else []}
        self._client: MongoClient[dict[str, Any]] = MongoClient(given, **options)
        database = self._client.get_default_database()
        self._collection = database[job.servers.name("mongodb")]
        self._first: str | None = None

    def insert(self, document: Mapping[str, Any]) -> bool:
        """Insert a document; True when the server acknowledged it."""
        return self._collection.insert_one(dict(document)).acknowledged

    @contextmanager
    def streaming(self, key: str) -> Iterator[None]:
        """Keep a connection of the pool: a cursor over two documents that has given one.

        Args:
            key: ``_id`` of a document that was inserted by the caller. The first that this client
                was called with is the other one, so the very first call keeps nothing.
        """
        self._first = self._first or key
        wanted = {"_id": {"$in": [self._first, key]}}
        with self._collection.find(
            wanted, {"_id": 1}, cursor_type=CursorType.EXHAUST, batch_size=1
        ) as cursor:
            next(cursor)
            yield
            for _ in cursor:  # to its end, or the client would close the connection
                pass

    def close(self) -> None:
        """Close every connection, and wait for the client's threads to end."""
        self._client.close()
        for thread in threading.enumerate():
            if thread.name.startswith("pymongo_"):
                thread.join(_THREADS_END_S)
