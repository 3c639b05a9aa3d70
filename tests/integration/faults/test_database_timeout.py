"""Writes wait while an idle client holds a lock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from perf_pipeline.faults.kinds.database_timeout import make
from perf_pipeline.faults.locks import mysql, postgres, redis
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.service import NotAnsweringError, find_service
from tests.integration.faults.played import GONE_S, injected, place_on
from tests.integration.runs.traces import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.faults.fault import Fault
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

RUN = "2026-01-01T00-00-00Z-10cc"


@pytest.fixture(params=["postgres", "mysql", "redis", "mongodb"])
def locked_service(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def stored(servers: dict[str, Server], locked_service: str) -> Iterator[str]:
    """The name of a run's data on the server that is going to be locked."""
    storage, url = find_service(locked_service).storage, servers[locked_service].url
    name = storage.storage_name(RUN)
    storage.drop(url, name)
    storage.create(url, name, 0)
    yield name
    storage.drop(url, name)


def test_writes_of_clients_wait_while_the_tables_are_locked(
    servers: dict[str, Server], locked_service: str, stored: str, tmp_path: Path
) -> None:
    """The client gives up after 0.3 s (MySQL counts in whole seconds); it wrote before and after.

    With ``inject`` doing nothing, ``injected`` fails: no sign comes in 10 s.
    """
    server = servers[locked_service]
    assert writes(server, stored, 1)
    with injected(make(place_on(tmp_path / "fault", server), {})):
        assert not writes(server, stored, 2)
    assert writes(server, stored, 3)


@pytest.mark.parametrize(
    ("locked_service", "module", "fuse", "length"),
    [
        ("postgres", postgres, "_FUSE_S", 1),
        ("mysql", mysql, "_FUSE_S", 2),
        ("redis", redis, "_PAUSE_MS", 1000),
    ],
    indirect=["locked_service"],
)
def test_a_lock_ends_by_itself_when_its_holder_hangs(
    servers: dict[str, Server],
    locked_service: str,
    stored: str,
    tmp_path: Path,
    module: object,
    fuse: str,
    length: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The holder is silent for longer than the fuse of a second or two: a stopped injector."""
    monkeypatch.setattr(module, fuse, length)
    server = servers[locked_service]
    fault: Fault = make(place_on(tmp_path / "fault", server), {})
    fault.preflight()
    fault.inject()
    assert not writes(server, stored, 1)
    assert until(lambda: writes(server, stored, 2), GONE_S)
    fault.undo()


def test_a_lock_waits_for_a_transaction_that_has_the_table(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """Held 0.5 s into the try; a lock that did not wait would be refused."""
    server = servers["postgres"]
    storage = find_service("postgres").storage
    name = storage.storage_name(RUN)
    storage.create(server.url, name, 0)
    try:
        fault = make(place_on(tmp_path / "fault", server), {})
        fault.preflight()
        with psycopg.connect(server.url) as working:
            working.execute("SET idle_in_transaction_session_timeout = '500ms'")
            working.commit()
            working.execute(f'INSERT INTO "{name}".results {values(9)}')
            begin = time.monotonic()
            fault.inject()
            assert time.monotonic() - begin > 0.3
            assert fault.sign().in_effect
            fault.undo()
            working.close()
    finally:
        storage.drop(server.url, name)


def writes(server: Server, name: str, number: int) -> bool:
    """Return whether a client's write of a workflow's result is answered soon."""
    try:
        WRITERS[server.service](server.url, name, number)
    except (psycopg.errors.QueryCanceled, NotAnsweringError, RedisTimeoutError, PyMongoError):
        return False
    return True


def write_postgres(url: str, name: str, number: int) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET statement_timeout = '300ms'")
        connection.execute(f'INSERT INTO "{name}".results {values(number)}')


def write_mysql(url: str, name: str, number: int) -> None:
    with mysql_session(url, 1.0) as cursor:
        cursor.execute(f"INSERT INTO `{name}` {values(number)}")


def write_redis(url: str, name: str, number: int) -> None:
    with Redis.from_url(url, socket_timeout=0.3, retry=None) as client:
        client.get("a read is answered")
        client.set(f"{name}1:{number}", "", ex=10)


def write_mongodb(url: str, name: str, number: int) -> None:
    with MongoClient[dict[str, int]](url, socketTimeoutMS=300, retryWrites=False) as client:
        client.get_default_database()[name].insert_one({"number": number})


def values(number: int) -> str:
    return f"(run_id, level, number, payload) VALUES ('r', 1, {number}, '')"


WRITERS: dict[str, Callable[[str, str, int], None]] = {
    "postgres": write_postgres,
    "mysql": write_mysql,
    "redis": write_redis,
    "mongodb": write_mongodb,
}
