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

from perf_pipeline.targets.pools import mongodb_options

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from perf_pipeline.targets.target import Job

_THREADS_END_S = 5.0  # they look every half second whether they should


class Documents:
    """The run's collection; safe to share between threads."""

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
        options = mongodb_options(job)
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
