from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from pymongo.monitoring import _EventListeners
from redis import BlockingConnectionPool, Redis

from perf_pipeline.config.services import SERVICES
from perf_pipeline.steps import FAILED, set_workflow, workflow_of
from perf_pipeline.targets.documents import Documents, PoolWaits
from perf_pipeline.targets.pools import (
    mongodb_options,
    mysql_pool_options,
    open_redis,
    postgres_pool_options,
)
from perf_pipeline.targets.target import Job, ServerAccess, ServerAddress

if TYPE_CHECKING:
    from perf_pipeline.steps import StepBuffer

SERVERS = ServerAccess(
    {
        "postgres": ServerAddress(
            "postgresql://me:p%40ss@db.example:5433/bench?sslmode=require", "run_1"
        ),
        "redis": ServerAddress("redis://:secret@cache.example:6390/3", "pp:"),
        "mysql": ServerAddress(
            "mysql://me:p%40ss@db.example:3307/bench?charset=utf8mb4", "run_1_results"
        ),
        "mongodb": ServerAddress("mongodb://db.example:27018/bench", "run_1_results"),
    },
    connections=7,
    connection_timeout_s=2.5,
)
JOB = Job(kinds=(), nodes="code", seed=1, run_id="r-1", level=0, servers=SERVERS)


def job_with(**urls: str | None) -> Job:
    """Return the job with other URLs; None for a server that is not there."""
    changed = {name: ServerAddress(url, "run_1") for name, url in urls.items() if url is not None}
    others = {name: one for name, one in SERVERS.addresses.items() if name not in urls}
    return replace(JOB, servers=replace(SERVERS, addresses={**others, **changed}))


def test_the_pool_to_postgres_never_grows_beyond_its_bound() -> None:
    """SQLAlchemy's default would add 10 connections on top, and kailash's node as well."""
    options = postgres_pool_options(JOB)
    assert (options["pool_size"], options["max_overflow"]) == (7, 0)
    assert options["pool_timeout"] == 2.5
    assert options["connect_args"]["application_name"] == "perf_pipeline-r-1"


def test_the_pool_to_mysql_has_the_same_bound_and_every_wait_an_end() -> None:
    options = mysql_pool_options(JOB)
    assert (options["pool_size"], options["max_overflow"], options["pool_timeout"]) == (7, 0, 2.5)
    assert (
        options["connect_args"].items()
        >= {
            "connect_timeout": 10,
            "read_timeout": 30.0,
            "write_timeout": 30.0,
            "program_name": "perf_pipeline-r-1",
        }.items()
    )


def test_the_client_of_mongodb_has_the_same_bound_and_every_wait_an_end() -> None:
    """By default it has 100 connections, and endless waits for a free one and for an answer."""
    options = mongodb_options(JOB)
    assert options["maxPoolSize"] == 7 - SERVICES["mongodb"].monitor_connections  # which watches
    assert options["waitQueueTimeoutMS"] == 2500
    assert options["socketTimeoutMS"] == 30_000
    assert (options["serverSelectionTimeoutMS"], options["serverMonitoringMode"]) == (5_000, "poll")
    assert options["appname"] == "perf_pipeline-r-1"


def test_a_wait_for_a_connection_of_mongodb_is_a_step_where_that_is_asked_for(
    buffer: StepBuffer,
) -> None:
    """The driver's events of two waits, the second in vain, and of one that is not asked for."""
    waits, address = PoolWaits(), ("127.0.0.1", 27017)
    events = _EventListeners([waits])
    set_workflow(workflow_of(0, 7))
    with waits.timed_as("connection to mongodb"):
        events.publish_connection_check_out_started(address)
        events.publish_connection_checked_out(address, 1, 0.1)
        events.publish_connection_check_out_started(address)
        events.publish_connection_check_out_failed(address, "timeout", 0.1)
    events.publish_connection_check_out_started(address)
    events.publish_connection_checked_out(address, 1, 0.1)
    assert buffer.names == ["connection to mongodb"]
    assert buffer.pending[0::4] == [7, 7]
    assert [bool(word & FAILED) for word in buffer.pending[3::4]] == [False, True]


def test_the_drivers_are_given_what_the_url_says() -> None:
    """By name, so that neither SQLAlchemy nor kailash reads the text of a URL."""
    given = postgres_pool_options(JOB)["connect_args"]
    assert given.items() >= {
        "host": "db.example", "port": "5433", "user": "me", "password": "p@ss",
        "dbname": "bench", "sslmode": "require", "options": "-c statement_timeout=30000",
    }.items()  # fmt: skip
    given = mysql_pool_options(JOB)["connect_args"]
    assert given.items() >= {
        "host": "db.example", "port": 3307, "user": "me", "password": "p@ss",
        "database": "bench", "charset": "utf8mb4",
    }.items()  # fmt: skip


def test_options_of_the_users_stay_beside_ours() -> None:
    url = "postgresql://me@/bench?host=/run/a,h2&port=1,2&options=-c%20jit%3Doff"
    given = postgres_pool_options(job_with(postgres=url))["connect_args"]
    assert (given["host"], given["port"]) == ("/run/a,h2", "1,2")
    assert given["options"] == "-c jit=off -c statement_timeout=30000"


def test_a_pooler_is_given_no_options_of_a_session() -> None:
    """It would refuse them, or leave them to whoever gets the session next."""
    pooled = {"postgres": ServerAddress("postgresql://me@h:1/d", "s", is_pooler=True)}
    job = replace(JOB, servers=replace(SERVERS, addresses=pooled))
    assert "options" not in postgres_pool_options(job)["connect_args"]


def test_options_of_a_redis_url_do_not_take_the_place_of_ours() -> None:
    """redis-py would let them: the pool would grow beyond its bound, under another name."""
    url = "redis://h:1/0?max_connections=100&client_name=x&decode_responses=no&socket_timeout=3"
    pool = open_redis(job_with(redis=url)).connection_pool
    assert pool.max_connections == 7
    assert pool.connection_kwargs["client_name"] == "perf_pipeline-r-1"
    assert pool.connection_kwargs["decode_responses"] is True
    assert pool.connection_kwargs["socket_timeout"] == 3


def test_the_redis_pool_waits_and_keeps_the_retries_of_a_plain_client() -> None:
    pool = open_redis(JOB).connection_pool
    plain = Redis().connection_pool
    assert isinstance(pool, BlockingConnectionPool)
    assert (pool.max_connections, pool.timeout) == (7, 2.5)
    wanted = {"host": "cache.example", "port": 6390, "db": 3, "password": "secret"}
    assert pool.connection_kwargs.items() >= wanted.items()
    assert pool.connection_kwargs["client_name"] == "perf_pipeline-r-1"
    assert pool.connection_kwargs["retry"] == plain.connection_kwargs["retry"]


@pytest.mark.parametrize("connections", [0, -1])
def test_a_pool_without_connections_is_refused(connections: int) -> None:
    """0 means unlimited to SQLAlchemy."""
    job = replace(JOB, servers=replace(SERVERS, connections=connections))
    with pytest.raises(ValueError, match=f"connections = {connections}: .*at least one"):
        postgres_pool_options(job)
    for options in (open_redis, mysql_pool_options, mongodb_options):
        with pytest.raises(ValueError, match="at least one"):
            options(job)


@pytest.mark.parametrize("url", [None, "mysql://h/x", "nonsense"])
def test_another_kind_of_url_is_refused(url: str | None) -> None:
    with pytest.raises(ValueError, match="need a PostgreSQL URL"):
        postgres_pool_options(job_with(postgres=url))
    with pytest.raises(ValueError, match="need a MySQL URL"):
        mysql_pool_options(job_with(mysql=url and url.replace("mysql", "postgresql")))
    with pytest.raises(ValueError, match="need a MongoDB URL"):
        Documents(job_with(mongodb=url))


def test_a_mongodb_url_without_a_database_is_refused() -> None:
    with pytest.raises(ValueError, match=r"that names a database.*got mongodb://\.\.\.$"):
        Documents(job_with(mongodb="mongodb://127.0.0.1:1"))


def test_a_missing_redis_is_refused() -> None:
    with pytest.raises(ValueError, match="need a Redis URL"):
        open_redis(job_with(redis=None))
