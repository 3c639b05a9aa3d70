"""Writes wait while an idle client holds a lock."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeoutError

from perf_pipeline.faults.kinds.database_timeout import make
from perf_pipeline.faults.locks import mysql, postgres, redis
from perf_pipeline.faults.locks.lock_holder import LOCK_WAIT_S
from perf_pipeline.faults.locks.sqlite_locks import write_lockers
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.mysql import service as mysql_service
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.service import NotAnsweringError, find_service
from tests.integration.faults.played import GONE_S, injected, place_on
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import Fault, Sign
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

RUN = "2026-01-01T00-00-00Z-10cc"
_SEEN_S = 20.0


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


@pytest.mark.parametrize("locked_service", ["postgres", "mysql"], indirect=True)
def test_writes_wait_already_while_a_transaction_keeps_the_lock_away(
    servers: dict[str, Server], locked_service: str, stored: str, tmp_path: Path
) -> None:
    """It has written to the table, and ends only when that has been seen; then the lock is held."""
    server = servers[locked_service]
    fault = make(place_on(tmp_path / "fault", server), {})
    fault.preflight()
    before = fault.state()
    with ExitStack() as stack:
        stack.callback(fault.undo)
        with TRANSACTIONS[locked_service](server.url, stored):
            begin_s = time.monotonic()
            fault.inject()
            assert time.monotonic() - begin_s < LOCK_WAIT_S
            assert fault.sign().in_effect
            assert fault.state() != HELD[locked_service]
            assert not writes(server, stored, 2)
        assert until(lambda: fault.state() == HELD[locked_service], GONE_S), fault.state()
        assert fault.sign().in_effect
    assert until(lambda: fault.state() == before, GONE_S)


def test_a_lock_that_never_came_is_given_up_with_the_failure(
    servers: dict[str, Server], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try is of 0.3 s, and the transaction lasts longer than two of them."""
    monkeypatch.setattr(postgres, "LOCK_WAIT_S", 0.3)
    server = servers["postgres"]
    storage = find_service("postgres").storage
    name = storage.storage_name(RUN)
    storage.create(server.url, name, 0)
    try:
        fault = make(place_on(tmp_path / "fault", server), {})
        fault.preflight()
        before = fault.state()
        with transaction_in_postgres(server.url, name):
            fault.inject()
            time.sleep(0.6)
            assert until(lambda: fault.sign().in_effect, GONE_S)
            fault.undo()
            assert writes(server, name, 2)
            assert fault.state() == before
    finally:
        storage.drop(server.url, name)


@pytest.mark.parametrize("locked_service", ["mongodb"], indirect=True)
def test_a_stand_in_that_is_written_to_is_not_locked(
    servers: dict[str, Server], locked_service: str, stored: str, tmp_path: Path
) -> None:
    """It locks its own file for each write of a stream, as is seen ten times; no sign says so."""
    server = servers[locked_service]
    assert server.folder is not None
    (file,) = (
        path for end in (".db", ".sqlite") for path in server.folder.rglob(f"*pipeline{end}")
    )
    fault = make(place_on(tmp_path / "fault", server), {})
    fault.preflight()
    end = threading.Event()
    writer = threading.Thread(target=write_until, args=(server.url, stored, end))
    writer.start()
    signs: list[Sign] = []
    seen, deadline_s = 0, time.monotonic() + _SEEN_S
    while seen < 10 and time.monotonic() < deadline_s:
        seen += bool(write_lockers(file))
        signs.append(fault.sign())
    end.set()
    writer.join()
    fault.undo()
    assert seen == 10
    assert [sign.text for sign in signs if sign.in_effect] == []


@pytest.mark.slow
def test_mysql_is_asked_for_its_locks_where_nobody_can_try_without_waiting(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MariaDB is told to wait a second, as MySQL does at least, and to list locks as MySQL does."""
    monkeypatch.setattr(mysql, "_NO_WAIT_S", 1)
    listed = {"performance-schema": "ON"}
    listed["performance-schema-instrument"] = "wait/lock/metadata/sql/mdl=ON"
    for name, value in listed.items():
        monkeypatch.setitem(mysql_service._OPTIONS, name, value)
    with ServiceSession(settings, ["mysql"]) as started:
        server = started.servers["mysql"]
        storage = find_service("mysql").storage
        name = storage.storage_name(RUN)
        storage.create(server.url, name, 0)
        with injected(make(place_on(tmp_path / "fault", server), {})) as fault:
            assert "1 of 1 tables are locked" in fault.sign().text


def writes(server: Server, name: str, number: int) -> bool:
    """Return whether a client's write of a workflow's result is answered soon."""
    try:
        WRITERS[server.service](server.url, name, number)
    except (psycopg.errors.QueryCanceled, NotAnsweringError, RedisTimeoutError, PyMongoError):
        return False
    return True


@contextmanager
def transaction_in_postgres(url: str, name: str) -> Iterator[None]:
    with psycopg.connect(url) as working:
        working.execute(f'INSERT INTO "{name}".results {values(9)}')
        yield


@contextmanager
def transaction_in_mysql(url: str, name: str) -> Iterator[None]:
    with mysql_session(url, 5.0) as working:
        working.execute("BEGIN")
        working.execute(f"INSERT INTO `{name}` {values(9)}")
        yield
        working.execute("COMMIT")


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


def write_until(url: str, name: str, end: threading.Event) -> None:
    with MongoClient[dict[str, object]](url) as client:
        results, number = client.get_default_database()[name], 0
        while not end.is_set():
            results.insert_many([{"number": number + n, "of": "x" * 500} for n in range(100)])
            number += 100


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

TRANSACTIONS = {"postgres": transaction_in_postgres, "mysql": transaction_in_mysql}
HELD = {
    "postgres": {"sessions that lock": "1", "tables that they locked": "2"},
    "mysql": {"sessions that lock": "1"},
}
