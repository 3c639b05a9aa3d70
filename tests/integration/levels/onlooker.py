"""Somebody who looks at a run from outside while it goes on, through connections of his own."""

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

from perf_pipeline.loadgen.run_data import REDIS_PREFIX
from perf_pipeline.samples.run_folder import list_runs
from tests.integration.runs.traces import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.loadgen.supervise.level_log import Progress

_OURS = "perf_pipeline-"
"""Starts the name of every connection of a worker."""


@dataclass(frozen=True)
class Holdings:
    """What this process holds, and the connections of workers that the servers hold."""

    descriptors: int
    threads: int
    children: int
    connections: int


@dataclass
class Onlooker:
    """What was seen of a run.

    Attributes:
        said: What people were told.
        between: What was held when each level began, and when the run was over.
        progress: Every progress, with the time at which it came, s.
        stored: Label of a level to the most rows in PostgreSQL and keys in Redis while it ran.
        connections: Label of a level to the most connections of workers to PostgreSQL.
    """

    postgres_url: str
    redis_url: str
    results: Path
    said: list[str] = field(default_factory=list)
    between: list[Holdings] = field(default_factory=list)
    progress: list[tuple[float, Progress]] = field(default_factory=list)
    stored: dict[str, tuple[int, int]] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)

    def on_notify(self, text: str) -> None:
        """Look at what is held when a level begins."""
        self.said.append(text)
        if text.startswith("level "):
            self.between.append(self.run_data())

    def on_progress(self, progress: Progress) -> None:
        """Count rows and keys."""
        self.progress.append((time.monotonic(), progress))
        run_id = list_runs(self.results)[-1].run_id
        with psycopg.connect(self.postgres_url) as connection:
            schema = f"perf_{run_id.replace('-', '_')}"
            counted = connection.execute(f"SELECT count(*) FROM {schema}.results".encode())
            rows = int((counted.fetchone() or (0,))[0])
        with Redis.from_url(self.redis_url) as client:
            keys = sum(1 for _ in client.scan_iter(f"{REDIS_PREFIX}{run_id}:*", count=1000))
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

    def run_data(self) -> Holdings:
        """Count what is held now.

        A back end outlives its client for a moment, and so do the threads of a MongoClient: a
        closed one's end within half a second.
        """
        until(lambda: self._clients() == 0 and not _mongodb_threads(), 5.0)
        return Holdings(
            descriptors=len(list(Path("/proc/self/fd").iterdir())),
            threads=len(list(Path("/proc/self/task").iterdir())),
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
