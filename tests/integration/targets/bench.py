"""A process in the target's environment that executes workflows, and what to compare it with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil
import psycopg
import pymysql
from pymongo import MongoClient
from redis import Redis

from perf_pipeline.servers.postgres.probe import PostgresProbe
from perf_pipeline.servers.redis import data as redis_data
from perf_pipeline.servers.redis.probe import RedisProbe
from perf_pipeline.targets.target import Job, Kind, ServerAddress
from perf_pipeline.workload.dataset import MEASUREMENTS, RESULTS
from perf_pipeline.workload.servers import connection_name
from tests.integration.runs.connection_counts import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perf_pipeline.servers.server import Server

SEED = 20261124
SCHEMA = "test_targets"
REDIS_PREFIX = "test:"


def redis_prefix(run_id: str) -> str:
    """Return the prefix of the keys of one test's run."""
    return f"{REDIS_PREFIX}{run_id}:"


LEVEL = 3
KINDS = tuple(
    Kind(family, complexity)
    for family in ("transformation", "analytics", "data_processing")
    for complexity in ("simple", "medium", "complex")
)
QUERY, CACHE, ANALYTICS, PROCESSING = 3, 4, 5, 8
"""Index of analytics simple (reads), medium (writes to Redis) and complex (to PostgreSQL, Redis and
MongoDB), and of data processing complex (to PostgreSQL and MySQL)."""

WRITTEN = [("kailash", "code"), ("kailash", "lean"), ("control", "lean")]
"""Every way to execute a workflow: target and how it is written."""

DRIVER = Path(__file__).with_name("target_process.py")
ROOT = Path(__file__).parents[3]


@dataclass
class Answer:
    """What the driver printed."""

    outcomes: list[list[list[Any]]]
    descriptors: list[int]
    threads: list[int]
    executing: list[list[int | None]]
    modules: list[str]

    def classes(self) -> list[str]:
        """Outcome or error class of every workflow, in the order in which they ended."""
        return [outcome[2] for round_ in self.outcomes for outcome in round_]

    def texts(self) -> str:
        """The error texts of all workflows."""
        return "\n".join(outcome[3] for round_ in self.outcomes for outcome in round_)


class Driver:
    """A process in the target's environment that executes workflows and then waits."""

    def __init__(self, python: Path, home: Path, wanted: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [python, DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={"HOME": str(home), "PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def answer(self) -> Answer:
        """Wait until everything was executed; the process lives on, its target closed."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.end()
        return Answer(**json.loads(line))

    def connections(self, port: int) -> int:
        """Count the process's connections to a port of this machine."""
        found = psutil.Process(self.pid).net_connections("tcp")
        return sum(bool(one.raddr) and one.raddr.port == port for one in found)

    def end(self) -> str:
        """End the process; what it said of its problems."""
        return self._process.communicate(timeout=20)[1]


class Bench:
    """What a run has on the servers, an environment, and drivers that end with the test."""

    def __init__(self, python: Path, job: Job, home: Path) -> None:
        self.python = python
        self.job = job
        self.drivers: list[Driver] = []
        self._home = home

    @property
    def name(self) -> str:
        """Name of the connections on the servers."""
        return connection_name(self.job.run_id)

    @property
    def postgres(self) -> str:
        """URL of PostgreSQL."""
        return self._address("postgres").url

    @property
    def redis(self) -> str:
        """URL of Redis."""
        return self._address("redis").url

    @property
    def mongodb_port(self) -> int:
        """Port of MongoDB."""
        port = urlsplit(self._address("mongodb").url).port
        assert port is not None
        return port

    @property
    def mysql_url(self) -> str:
        """URL of MySQL."""
        return self._address("mysql").url

    @property
    def mysql_table(self) -> str:
        """Table of results in MySQL."""
        return self._address("mysql").name

    def _address(self, service: str) -> ServerAddress:
        return self.job.servers.addresses[service]

    @property
    def mysql_database(self) -> str:
        """Database of MySQL."""
        return urlsplit(self.mysql_url).path[1:]

    @contextmanager
    def mysql(self) -> Iterator[pymysql.cursors.Cursor]:
        """A session in MySQL, every statement committed by itself."""
        with mysql_session(self.mysql_url) as cursor:
            yield cursor

    @contextmanager
    def mongodb(self) -> Iterator[Any]:
        """The collection of results in MongoDB."""
        url, collection, _ = self._address("mongodb")
        with MongoClient[dict[str, Any]](url) as client:
            yield client.get_default_database()[collection]

    def start(
        self,
        target: str,
        *rounds: list[tuple[int, int]],
        threads: int = 1,
        jobs: Sequence[Job] = (),
        statement_timeout_ms: int = 30_000,
        selection_timeout_s: int = 5,
    ) -> Driver:
        """Start executing rounds of (kind, number), each with its job, or all with the bench's."""
        wanted = {
            "target": target,
            "jobs": [asdict(job) for job in jobs or [self.job] * len(rounds)],
            "rounds": rounds,
            "threads": threads,
            "statement_timeout_ms": statement_timeout_ms,
            "selection_timeout_s": selection_timeout_s,
        }
        driver = Driver(self.python, self._home, wanted)
        self.drivers.append(driver)
        return driver

    def written(self, nodes: str) -> None:
        """Say how the workflows are written."""
        self.job = replace(self.job, nodes=nodes)

    def in_detail(self) -> Job:
        """Return the job with what the target logs on standard error."""
        return replace(self.job, log_detail=True)

    def setting(self, **settings: bool | int) -> None:
        """Change settings of the target."""
        self.job = replace(self.job, settings={**self.job.settings, **settings})

    @property
    def home(self) -> Path:
        """Home folder of the drivers."""
        return self._home

    def with_access(self, **changes: Any) -> None:
        """Change the process's share of the servers, or the folder of files, in the job."""
        self.job = replace(self.job, servers=replace(self.job.servers, **changes))

    def with_name(self, service: str, name: str) -> None:
        """Change the name of the run's data on a server in the job."""
        addresses = dict(self.job.servers.addresses)
        addresses[service] = addresses[service]._replace(name=name)
        self.with_access(addresses=addresses)

    def with_urls(self, **urls: str | None) -> None:
        """Change the URLs of servers in the job; None for a server that is not there."""
        servers = self.job.servers
        addresses = {name: one for name, one in servers.addresses.items() if name not in urls}
        for name, url in urls.items():
            if url is not None:
                addresses[name] = servers.addresses[name]._replace(url=url)
        self.with_access(addresses=addresses)

    def found(self) -> dict[str, dict[int, Any]]:
        """Return what the run wrote: server to number to the text or document there."""
        run_id = self.job.run_id
        with psycopg.connect(self.postgres) as connection:
            query = f'SELECT number, payload FROM "{SCHEMA}".{RESULTS} WHERE run_id = %s'
            rows: list[tuple[int, str]] = connection.execute(query.encode(), (run_id,)).fetchall()
        with self.mysql() as cursor:
            query = f"SELECT number, payload FROM {self.mysql_table} WHERE run_id = %s"
            cursor.execute(query, (run_id,))
            mysql = dict(cursor.fetchall())
        with self.mongodb() as collection:
            documents = list(collection.find({"run_id": run_id, "level": LEVEL}))
        return {
            "postgres": dict(rows),
            "mysql": mysql,
            "mongodb": {document["number"]: document for document in documents},
            "redis": dict.fromkeys(
                redis_data.written_numbers(self.redis, redis_prefix(run_id), run_id, LEVEL), ""
            ),
        }

    def connections(self, driver: Driver) -> dict[str, int]:
        """Count a driver's connections to every server, as the server counts where it tells."""
        with mysql_session(self.mysql_url, inside=False) as cursor:
            counting = "SELECT COUNT(*) FROM information_schema.processlist WHERE db = %s"
            cursor.execute(counting, (self.mysql_database,))
            (mysql,) = cursor.fetchone() or (0,)
        return {
            "postgres": counted(PostgresProbe(self.postgres, self.name)).total,
            "mysql": mysql,
            "redis": counted(RedisProbe(self.redis, self.name)).total,
            "mongodb": driver.connections(self.mongodb_port),
        }


@contextmanager
def mysql_session(url: str, *, inside: bool = True) -> Iterator[pymysql.cursors.Cursor]:
    """Connect to MySQL, every statement committed by itself; into the URL's database or not."""
    parts = urlsplit(url)
    with (
        pymysql.connect(
            host=parts.hostname,
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            database=parts.path[1:] if inside else None,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


@contextmanager
def locked_measurements(bench: Bench) -> Iterator[None]:
    """Let the queries of PostgreSQL wait."""
    with psycopg.connect(bench.postgres) as connection:
        table = f'"{SCHEMA}".{MEASUREMENTS}'
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


@contextmanager
def locked_mysql(bench: Bench) -> Iterator[None]:
    """Let the insertions into MySQL wait."""
    with mysql_session(bench.mysql_url, inside=False) as cursor:
        cursor.execute(f"LOCK TABLES {bench.mysql_database}.{bench.mysql_table} WRITE")
        yield


@contextmanager
def paused_redis(bench: Bench) -> Iterator[None]:
    """Let the writes to Redis wait."""
    with Redis.from_url(bench.redis) as redis:
        redis.client_pause(60_000, all=False)
        try:
            yield
        finally:
            redis.client_unpause()


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """Stop a server's processes: it accepts no byte and closes no connection."""
    for pid in server.pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in server.pids:
            os.kill(pid, signal.SIGCONT)


def wait_until(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    """Poll until ``condition()`` holds."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.02)
