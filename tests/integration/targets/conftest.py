"""A seeded run on four servers, and the interpreter of kailash's environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from pymongo import MongoClient

from perf_pipeline.config.scenario.target_spec import parse_target, with_defaults
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.servers.postgres import data as postgres_data
from perf_pipeline.servers.redis import data as redis_data
from perf_pipeline.targets.target import Job, Stores
from perf_pipeline.workload.dataset import (
    MEASUREMENT_COLUMNS,
    MEASUREMENTS,
    ddl,
    measurement_rows,
    mysql_ddl,
    results_name,
)
from tests.integration.targets.bench import (
    KINDS,
    LEVEL,
    REDIS_PREFIX,
    SCHEMA,
    SEED,
    Bench,
    mysql_session,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.servers.server import Server


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of kailash's environment, from the user's cache."""
    cache = current_settings().cache_dir
    environ = dict(os.environ)
    made = make_environment(
        parse_target("kailash"), cache_dir=cache, environ=environ, uv=find_uv(environ)
    )
    return made.python


@pytest.fixture(scope="session")
def seeded(
    servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stores]:
    """What a run has on every server; removed when the session ends."""
    mysql, mongodb = servers["mysql"].url, servers["mongodb"].url
    name = results_name(SCHEMA)
    postgres_data.provision(
        servers["postgres"].url,
        SCHEMA,
        ddl=ddl(SCHEMA),
        table=MEASUREMENTS,
        columns=MEASUREMENT_COLUMNS,
        rows=measurement_rows(SEED),
    )
    with mysql_session(mysql) as cursor:
        for statement in mysql_ddl(name):
            cursor.execute(statement)
    yield Stores(
        postgres_url=servers["postgres"].url,
        postgres_schema=SCHEMA,
        redis_url=servers["redis"].url,
        redis_prefix=REDIS_PREFIX,
        connections=5,
        connection_timeout_s=30.0,
        mysql_url=mysql,
        mysql_table=name,
        mongodb_url=mongodb,
        mongodb_collection=name,
        files_dir=str(tmp_path_factory.mktemp("files")),
    )
    postgres_data.drop(servers["postgres"].url, SCHEMA)
    redis_data.delete(servers["redis"].url, REDIS_PREFIX)
    with mysql_session(mysql) as cursor:
        cursor.execute(f"DROP TABLE {name}")
    with MongoClient[dict[str, object]](mongodb) as client:
        client.get_default_database().drop_collection(name)


@pytest.fixture
def bench(
    python: Path, seeded: Stores, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Bench]:
    """A job of every kind, with a run id of the test's own."""
    run_id = f"t{abs(hash(request.node.nodeid)) % 10**8}"
    bench = Bench(
        python,
        Job(KINDS, "lean", SEED, run_id, LEVEL, seeded, with_defaults("kailash", {})),
        tmp_path,
    )
    yield bench
    for driver in bench.drivers:
        driver.end()
