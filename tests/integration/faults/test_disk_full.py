"""A server's own file system is full, and has space again."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.kinds.disk_full import make, undo_left_behind
from perf_pipeline.servers.lifecycle.folder import processes_in
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.lifecycle.started_server import started_server
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.service import NotAnsweringError
from tests.integration.faults.played import injected, place_on
from tests.integration.runs.traces import (
    folders_in,
)
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import Fault, State
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

DISK_MB = 256
ROWS = 2000
PAYLOAD = "x" * 5000


def has_namespaces() -> bool:
    tried = subprocess.run(["unshare", "--user", "--mount", "true"], check=False)
    return tried.returncode == 0


@pytest.mark.skipif(not has_namespaces(), reason="user namespaces are forbidden here")
@pytest.mark.parametrize("service", ["postgres", "mysql", "mongodb"])
def test_writes_fail_while_the_disk_is_full_and_succeed_afterwards(
    settings: Settings, service: str, tmp_path: Path
) -> None:
    """Ten megabytes are written: more than a server has put aside. Then its folder goes with it.

    With ``inject`` doing nothing, ``injected`` fails: no sign comes in 10 s.
    """
    with ServiceSession(settings, [service], disks_mb={service: DISK_MB}) as started:
        server = started.servers[service]
        assert "a file system of their own of 256 MB" in server.notes[-1]
        create_table(server)
        with injected(make(place_on(tmp_path / "fault", server), {})):
            assert not writes_much(server)
        assert writes_much(server)
    assert folders_in(settings.temp_dir) == []


@pytest.mark.skipif(not has_namespaces(), reason="user namespaces are forbidden here")
def test_a_server_that_ended_while_its_disk_was_full_is_started_again(
    settings: Settings, tmp_path: Path
) -> None:
    """It is killed here: PostgreSQL ends so when its log finds no space."""
    with ServiceSession(settings, ["postgres"], disks_mb={"postgres": DISK_MB}) as started:
        server = started.servers["postgres"]
        fault = make(place_on(tmp_path / "fault", server), {})
        fault.preflight()
        before = fault.state()
        fault.inject()
        os.kill(server.pids[0], signal.SIGQUIT)
        (folder,) = folders_in(settings.temp_dir)
        assert until(lambda: processes_in(folder) == [], 5.0)
        assert until(lambda: fault.sign().in_effect, 5.0)  # what it had put aside is taken as well
        fault.undo()
        assert until(lambda: answered(fault) == before, 10.0)
        os.kill(find_process(folder), signal.SIGQUIT)
        assert until(lambda: processes_in(folder) == [], 5.0)
        undo_left_behind(fault.undo_entry())  # as for an injector that was killed
        assert until(lambda: answered(fault) == before, 10.0)
        fault.undo()


def find_process(folder: Path) -> int:
    """Return the main process of the server in a folder."""
    started = started_server(folder)
    assert started is not None
    main = started.main_process()
    assert main is not None
    return main


def answered(fault: Fault) -> State | None:
    try:
        return fault.state()
    except NotAnsweringError:
        return None


def test_a_disk_that_other_programs_use_is_never_filled(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """The session's servers have their data below the temporary folder."""
    with pytest.raises(FaultRefusedError, match="which other programs use"):
        make(place_on(tmp_path / "fault", servers["postgres"]), {}).preflight()


def test_a_server_that_keeps_its_data_in_memory_is_refused_with_the_reason(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    with pytest.raises(FaultRefusedError, match="it keeps its data in memory"):
        make(place_on(tmp_path / "fault", servers["redis"]), {})


def create_table(server: Server) -> None:
    if server.service == "postgres":
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE filled (payload text)")
            connection.execute("ALTER TABLE filled ALTER payload SET STORAGE EXTERNAL")
    elif server.service == "mysql":
        with mysql_session(server.url, 5.0) as cursor:
            cursor.execute("CREATE TABLE filled (payload mediumtext)")


def writes_much(server: Server) -> bool:
    """Return whether the server takes ten megabytes."""
    try:
        if server.service == "postgres":
            with psycopg.connect(server.url, autocommit=True) as connection:
                query = "INSERT INTO filled SELECT %s FROM generate_series(1, %s)"
                connection.execute(query, [PAYLOAD, ROWS])
        elif server.service == "mysql":
            with mysql_session(server.url, 20.0) as cursor:
                cursor.executemany("INSERT INTO filled VALUES (%s)", [[PAYLOAD]] * ROWS)
        else:
            with MongoClient(server.url, socketTimeoutMS=20000, retryWrites=False) as client:
                rows = [{"payload": PAYLOAD} for _ in range(ROWS)]
                client.get_default_database()["filled"].insert_many(rows)
    except (psycopg.Error, NotAnsweringError, PyMongoError):
        return False
    return True
