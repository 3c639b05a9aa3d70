"""The real runtime, in its own environment, against real servers."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from redis import Redis

from perf_pipeline.config.settings import current_settings
from perf_pipeline.infrastructure import postgres_data, redis_data
from perf_pipeline.loadgen.environment import find_uv, make_environment
from perf_pipeline.targets.target import Job, Kind, Stores
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.dataset import (
    BUCKETS,
    MEASUREMENT_COLUMNS,
    MEASUREMENTS,
    RESULTS,
    ddl,
    measurement_rows,
)
from perf_pipeline.workload.servers import connection_name
from perf_pipeline.workload.task import bucket_of, task_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.infrastructure.server import Server

pytestmark = pytest.mark.integration

SEED = 20261124
SCHEMA = "test_targets"
KINDS = tuple(
    Kind(family, complexity)
    for family in ("transformation", "analytics")
    for complexity in ("simple", "medium", "complex")
)
WRITTEN = [("kailash", "code"), ("kailash", "lean"), ("control", "lean")]
DRIVER = Path(__file__).with_name("target_process.py")


@dataclass
class Answer:
    """What the driver printed."""

    outcomes: list[list[list[Any]]]
    descriptors: list[int]
    threads: list[int]
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
            text=True,
            env={"HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Answer:
        """Wait until everything was executed; the process lives on, its target closed."""
        assert self._process.stdout is not None
        return Answer(**json.loads(self._process.stdout.readline()))

    def end(self) -> None:
        """End the process."""
        self._process.communicate(timeout=20)


class Bench:
    """A seeded schema, an environment, and drivers that end with the test."""

    def __init__(self, python: Path, job: Job, home: Path) -> None:
        self.python = python
        self.job = job
        self.drivers: list[Driver] = []
        self._home = home

    @property
    def postgres(self) -> str:
        """URL of PostgreSQL."""
        assert self.job.stores.postgres_url is not None
        return self.job.stores.postgres_url

    @property
    def redis(self) -> str:
        """URL of Redis."""
        assert self.job.stores.redis_url is not None
        return self.job.stores.redis_url

    def start(
        self,
        target: str,
        *rounds: list[tuple[int, int]],
        threads: int = 1,
        statement_timeout_ms: int = 30_000,
    ) -> Driver:
        """Start executing rounds of (kind, number)."""
        wanted = {
            "target": target,
            "job": asdict(self.job),
            "rounds": rounds,
            "threads": threads,
            "statement_timeout_ms": statement_timeout_ms,
        }
        driver = Driver(self.python, self._home, wanted)
        self.drivers.append(driver)
        return driver

    def lacking(self, **stores: Any) -> None:
        """Change what the job says of the servers."""
        self.job = replace(self.job, stores=replace(self.job.stores, **stores))


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter of kailash's environment, from the user's cache."""
    cache = current_settings().cache_dir
    environ = dict(os.environ)
    return make_environment("kailash", cache_dir=cache, environ=environ, uv=find_uv(environ)).python


@pytest.fixture(scope="module")
def seeded(servers: dict[str, Server]) -> Iterator[Stores]:
    postgres_data.provision(
        servers["postgres"].url,
        SCHEMA,
        ddl=ddl(SCHEMA),
        table=MEASUREMENTS,
        columns=MEASUREMENT_COLUMNS,
        rows=measurement_rows(SEED),
    )
    yield Stores(servers["postgres"].url, SCHEMA, servers["redis"].url, "test:", 5, 30.0)
    postgres_data.drop(servers["postgres"].url, SCHEMA)
    redis_data.delete(servers["redis"].url, "test:")


@pytest.fixture
def bench(
    python: Path, seeded: Stores, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """A job of every kind, with a run id of the test's own."""
    run_id = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    bench = Bench(python, Job(KINDS, "lean", SEED, run_id, 3, seeded), tmp_path)
    yield bench
    for driver in bench.drivers:
        driver.end()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_every_kind_gives_the_right_result_for_all_inputs_and_writes_what_it_says(
    bench: Bench, target: str, nodes: str
) -> None:
    """All 64 inputs of a run; every stored text is compared, not only counted."""
    bench.job = replace(bench.job, nodes=nodes)
    work = [
        (kind, number)
        for kind in range(len(KINDS))
        for number in {bucket_of(n): n for n in range(kind * 1000, kind * 1000 + 1000)}.values()
    ]
    assert len(work) == len(KINDS) * BUCKETS
    answer = bench.start(target, work, threads=4).answer()
    assert Counter(answer.classes()) == {"OK": len(work)}, answer.texts()[:2000]

    medium, complex_ = ({n for kind, n in work if kind == wanted} for wanted in (4, 5))
    run_id = bench.job.run_id
    assert redis_data.written_numbers(bench.redis, "test:", run_id, 3) == medium | complex_
    assert postgres_data.written_numbers(bench.postgres, SCHEMA, RESULTS, run_id, 3) == complex_
    answers = answers_of("analytics", "complex", SEED)
    with psycopg.connect(bench.postgres) as connection, Redis.from_url(bench.redis) as redis:
        query = f'SELECT number, payload FROM "{SCHEMA}".{RESULTS} WHERE run_id = %s'
        for number, payload in connection.execute(query.encode(), (run_id,)).fetchall():
            task = task_of(number, seed=SEED, run_id=run_id, level=3, redis_prefix="test:")
            assert payload == answers.of(task)["report"]["payload"]
            assert redis.get(task.redis_key) == payload.encode()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_sixty_threads_never_open_more_than_five_connections_to_a_server(
    bench: Bench, target: str, nodes: str
) -> None:
    """Two kinds that use Redis, so that a pool for each would show; asked all the time.

    Redis answers within microseconds and would see two connections: its writes are held back
    once for half a second, so that every thread wants one.
    """
    bench.job = replace(bench.job, nodes=nodes)
    work = [(4 + n % 2, n) for n in range(180 if nodes == "code" else 1200)]
    name = connection_name(bench.job.run_id)
    driver = bench.start(target, work, threads=60)
    peaks = {"postgres": 0, "redis": 0}
    done = threading.Event()

    def watch() -> None:
        redis = Redis.from_url(bench.redis)
        while not done.wait(0.01):
            total, _ = postgres_data.connection_count(bench.postgres, name)
            found = redis_data.connection_count(bench.redis, name)
            if found > 0 == peaks["redis"]:
                redis.client_pause(500, all=False)
            peaks["postgres"] = max(peaks["postgres"], total)
            peaks["redis"] = max(peaks["redis"], found)

    watcher = threading.Thread(target=watch)
    watcher.start()
    answer = driver.answer()
    done.set()
    watcher.join()
    assert Counter(answer.classes()) == {"OK": len(work)}, answer.texts()[:2000]
    assert peaks == {"postgres": 5, "redis": 5}


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_closed_target_gives_back_descriptors_threads_and_connections(
    bench: Bench, target: str, nodes: str
) -> None:
    """Three rounds of 20 threads in one process: the second and third leave nothing behind."""
    bench.job = replace(bench.job, nodes=nodes)
    rounds = [[(5, round_ * 100 + n) for n in range(40)] for round_ in range(3)]
    answer = bench.start(target, *rounds, threads=20).answer()
    assert set(answer.classes()) == {"OK"}
    assert answer.descriptors[1:] == answer.descriptors[:1] * 2
    assert answer.threads == [1, 1, 1]
    name = connection_name(bench.job.run_id)
    wait_until(lambda: postgres_data.connection_count(bench.postgres, name) == (0, 0))
    wait_until(lambda: redis_data.connection_count(bench.redis, name) == 0)


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_last_node_that_fails_is_an_error_although_kailash_raises_nothing(
    bench: Bench, target: str, nodes: str
) -> None:
    """In the medium workflow the cache is the last node, and nobody listens on port 1."""
    bench.job = replace(bench.job, nodes=nodes)
    bench.lacking(redis_url="redis://127.0.0.1:1/0")
    answer = bench.start(target, [(4, 1)]).answer()
    assert answer.classes() == ["CONNECTION"], answer.texts()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_refused_database_is_a_connection_error(bench: Bench, target: str, nodes: str) -> None:
    bench.job = replace(bench.job, nodes=nodes)
    bench.lacking(postgres_url="postgresql://postgres@127.0.0.1:1/postgres")
    answer = bench.start(target, [(3, 1)]).answer()
    assert answer.classes() == ["CONNECTION"], answer.texts()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_row_that_was_changed_on_the_server_is_a_wrong_result_of_the_query(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.job = replace(bench.job, nodes=nodes)
    change = f'UPDATE "{SCHEMA}".{MEASUREMENTS} SET value = value %s 1 WHERE position = 99'
    with psycopg.connect(bench.postgres, autocommit=True) as connection:
        connection.execute((change % "+").encode())
        answer = bench.start(target, [(3, 1)]).answer()
        connection.execute((change % "-").encode())
    assert answer.classes() == ["WRONG_RESULT"]
    assert answer.texts().startswith("node query: got ")


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_an_insertion_that_the_server_refuses_is_a_workflow_error(
    bench: Bench, target: str, nodes: str
) -> None:
    """The same workflow twice: the second violates the primary key of the results."""
    bench.job = replace(bench.job, nodes=nodes)
    answer = bench.start(target, [(5, 1), (5, 1)]).answer()
    assert answer.classes() == ["OK", "WORKFLOW_ERROR"]
    assert "duplicate key" in answer.texts()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_full_pool_and_a_slow_statement_have_their_own_classes(
    bench: Bench, target: str, nodes: str
) -> None:
    """One connection, which waits for a lock until the server ends it; a thread without one."""
    bench.job = replace(bench.job, nodes=nodes)
    bench.lacking(connections=1, connection_timeout_s=0.3)
    with locked_measurements(bench):
        driver = bench.start(target, [(3, 1), (3, 2)], threads=2, statement_timeout_ms=2000)
        answer = driver.answer()
    assert answer.classes() == ["RESOURCE_EXHAUSTION", "TIMEOUT"], answer.texts()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_killed_back_end_is_a_connection_error_and_the_next_workflow_is_ok(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.job = replace(bench.job, nodes=nodes)
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = %s AND wait_event_type = 'Lock'"
    )
    name = connection_name(bench.job.run_id)
    with psycopg.connect(bench.postgres, autocommit=True) as connection:
        with locked_measurements(bench):
            driver = bench.start(target, [(3, 1), (3, 2)])
            wait_until(lambda: connection.execute(kill, (name,)).fetchone() == (1,))
        answer = driver.answer()
    assert answer.classes() == ["CONNECTION", "OK"], answer.texts()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_full_redis_pool_is_exhaustion(bench: Bench, target: str, nodes: str) -> None:
    """Six threads, two connections that the server lets wait, 0.2 s of patience."""
    bench.job = replace(bench.job, nodes=nodes)
    bench.lacking(connections=2, connection_timeout_s=0.2)
    name = connection_name(bench.job.run_id)
    with Redis.from_url(bench.redis) as redis:
        redis.client_pause(60_000, all=False)
        driver = bench.start(target, [(4, n) for n in range(6)], threads=6)
        wait_until(lambda: redis_data.connection_count(bench.redis, name) == 2)
        time.sleep(1)
        redis.client_unpause()
    classes = Counter(driver.answer().classes())
    assert classes["RESOURCE_EXHAUSTION"] == 4
    assert sum(classes.values()) == 6


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_nothing_of_the_harness_is_imported_beside_the_target(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.job = replace(bench.job, nodes=nodes)
    answer = bench.start(target, [(kind, 1) for kind in range(len(KINDS))]).answer()
    roots = {module.partition(".")[0] for module in answer.modules}
    assert not roots & {"dagster", "polars", "numpy", "pandas", "psutil", "psycopg", "altair"}
    ours = {module for module in answer.modules if module.startswith("perf_pipeline.")}
    parts = {module.split(".")[1] for module in ours}
    assert parts == {"samples", "targets", "workload"}
    if target == "control":
        assert "kailash" not in roots


def locked_measurements(bench: Bench) -> psycopg.Connection[Any]:
    """Lock the rows that the queries read, until the connection is closed."""
    connection = psycopg.connect(bench.postgres)
    connection.execute(f'LOCK TABLE "{SCHEMA}".{MEASUREMENTS} IN ACCESS EXCLUSIVE MODE'.encode())
    return connection


def wait_until(condition: Any, limit_s: float = 20.0) -> None:
    """Poll until ``condition()`` holds."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.02)
