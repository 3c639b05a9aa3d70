"""Only servers that this project started, or that carry its marker, are ever faulted."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ScenarioError
from perf_pipeline.faults.fault import FaultRefusedError, Place
from perf_pipeline.faults.kinds import server_crash, server_freeze
from perf_pipeline.faults.marker import MARKER, faulted_server
from perf_pipeline.run import Run
from perf_pipeline.servers.mongodb.session import session as mongodb_session
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.postgres.session import session as postgres_session
from perf_pipeline.servers.redis.session import session as redis_session
from tests.integration.levels.loads import QUICK

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration


def _mark(service: str, url: str) -> None:
    """Make the marker as the refusal says."""
    if service == "postgres":
        with postgres_session(url, 5.0) as connection:
            connection.execute(f"CREATE TABLE {MARKER} ()")
    elif service == "mysql":
        with mysql_session(url, 5.0) as cursor:
            cursor.execute(f"CREATE TABLE {MARKER} (yes INT)")
    elif service == "redis":
        with redis_session(url, 5.0) as client:
            client.set(MARKER, "yes")
    else:
        with mongodb_session(url, 5.0) as client:
            client.get_default_database().create_collection(MARKER)


def _unmark(service: str, url: str) -> None:
    if service == "postgres":
        with postgres_session(url, 5.0) as connection:
            connection.execute(f"DROP TABLE IF EXISTS {MARKER}")
    elif service == "mysql":
        with mysql_session(url, 5.0) as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {MARKER}")
    elif service == "redis":
        with redis_session(url, 5.0) as client:
            client.delete(MARKER)
    else:
        with mongodb_session(url, 5.0) as client:
            client.get_default_database().drop_collection(MARKER)


def _users(server: Server) -> Server:
    """Return a server as if a user had named it."""
    return replace(server, source="settings", folder=None, pids=())


@pytest.mark.parametrize("service", SERVICES)
def test_a_users_server_is_refused_by_name_until_it_carries_the_marker(
    service: str, own_servers: dict[str, Server]
) -> None:
    users = _users(own_servers[service])
    with pytest.raises(FaultRefusedError) as refused:
        faulted_server(users)
    assert users.redacted_url in str(refused.value)
    assert MARKER in str(refused.value)
    try:
        _mark(service, users.url)
        assert faulted_server(users).data_folder is None
    finally:
        _unmark(service, users.url)


@pytest.mark.parametrize("kind", [server_freeze, server_crash])
def test_the_processes_of_a_marked_server_are_not_touched(
    kind: object, own_servers: dict[str, Server], tmp_path: Path
) -> None:
    users = _users(own_servers["redis"])
    try:
        _mark("redis", users.url)
        marked = faulted_server(users)
    finally:
        _unmark("redis", users.url)
    place = Place(marked, tmp_path, random.Random(0), time.monotonic_ns, time.sleep)
    with pytest.raises(FaultRefusedError, match="not started by this project"):
        kind.make(place, {}).preflight()  # type: ignore[attr-defined]


def test_a_run_that_would_fault_a_users_server_does_not_begin(
    served: Settings,
) -> None:
    """Its servers are found, and its folder is not even made."""
    scenario = replace(QUICK, faults=(FaultWindow("server_freeze", "redis", 0.1, 0.5),))
    with Run(scenario, served) as run, pytest.raises(ScenarioError, match=MARKER):
        run.load()
    assert not run.folder.root.exists()
