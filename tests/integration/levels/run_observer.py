"""An observer of a run in this process: what it holds, writes and reports while it goes on."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
from redis import Redis

from perf_pipeline.samples.run_list import list_runs
from perf_pipeline.servers.redis.data import storage_name
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.loadgen.supervise.level_log import Progress

_OURS = "perf_pipeline-"
"""Starts the name of every connection of a worker."""


@dataclass(frozen=True)
class ResourceUse:
    """Resources of this process, and the connections of workers that the servers have open."""

    descriptors: int
    threads: int
    children: int
    connections: int


@dataclass
class RunObserver:
    """What was observed of a run, through connections of the observer's own.

    Attributes:
        messages: The lines for people.
        between: Resources in use when each level began, and when the run was over.
        progress: Every progress report, with the time at which it came, s.
        stored: Label of a level to the maximum of rows in PostgreSQL and of keys in Redis.
        connections: Label of a level to the maximum of the workers' connections to PostgreSQL.
    """

    postgres_url: str
    redis_url: str
    results: Path
    messages: list[str] = field(default_factory=list)
    between: list[ResourceUse] = field(default_factory=list)
    progress: list[tuple[float, Progress]] = field(default_factory=list)
    stored: dict[str, tuple[int, int]] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)

    def on_notify(self, text: str) -> None:
        """Note the resources in use when a level begins."""
        self.messages.append(text)
        if text.startswith("level "):
            self.between.append(self.resource_use())

    def on_progress(self, progress: Progress) -> None:
        """Count rows and keys."""
        self.progress.append((time.monotonic(), progress))
        run_id = list_runs(self.results)[-1].run_id
        with psycopg.connect(self.postgres_url) as connection:
            schema = f"perf_{run_id.replace('-', '_')}"
            counted = connection.execute(f"SELECT count(*) FROM {schema}.results".encode())
            rows = int((counted.fetchone() or (0,))[0])
        with Redis.from_url(self.redis_url) as client:
            keys = sum(1 for _ in client.scan_iter(f"{storage_name(run_id)}*", count=1000))
        before = self.stored.get(progress.label, (0, 0))
        self.stored[progress.label] = (max(before[0], rows), max(before[1], keys))

    @contextmanager
    def watching_connections(self) -> Iterator[None]:
        """Count the workers' connections to PostgreSQL fifty times a second during the block."""
        over = threading.Event()
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            thread = threading.Thread(target=self._watch, args=(connection, over))
            thread.start()
            try:
                yield
            finally:
                over.set()
                thread.join()

    def resource_use(self) -> ResourceUse:
        """Count the resources in use now.

        A back end outlives its client for a moment, and the threads of a closed MongoClient end
        within half a second.
        """
        until(lambda: self._clients() == 0 and not _mongodb_threads(), 5.0)
        return ResourceUse(
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
            threads=threading.active_count(),
            children=len(psutil.Process().children()),
            connections=self._clients(),
        )

    def _watch(self, connection: psycopg.Connection, over: threading.Event) -> None:
        while not over.wait(0.02):
            if self.progress:
                label = self.progress[-1][1].label
                seen = _postgres_clients(connection)
                self.connections[label] = max(self.connections.get(label, 0), seen)

    def _clients(self) -> int:
        with (
            psycopg.connect(self.postgres_url) as connection,
            Redis.from_url(self.redis_url, decode_responses=True) as client,
        ):
            named = [one for one in client.client_list() if one["name"].startswith(_OURS)]
            return _postgres_clients(connection) + len(named)


def _mongodb_threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("pymongo")]


def _postgres_clients(connection: psycopg.Connection) -> int:
    counted = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE starts_with(application_name, %s)", [_OURS]
    )
    return int((counted.fetchone() or (0,))[0])
