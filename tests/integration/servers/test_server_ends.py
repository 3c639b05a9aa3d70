"""Nothing of a server outlives whom it serves, whoever is killed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from perf_pipeline.config.services import SERVICES
from perf_pipeline.servers.lifecycle.folder import processes_in
from perf_pipeline.servers.lifecycle.leftovers import clear_leftovers
from perf_pipeline.servers.lifecycle.port import is_free
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.service import find_service
from tests.integration.runs.traces import (
    folders_in,
    port_of,
    segment_exists,
    segment_of,
    start,
)
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server
    from tests.integration.conftest import Owner

pytestmark = pytest.mark.integration


def test_kill_9_of_the_owner_leaves_no_server_and_no_folder(
    tmp_path: Path, start_owner: Callable[..., Owner]
) -> None:
    """Nor a System V segment, of which a killed PostgreSQL leaves one."""
    owner, about = start_owner("hold")
    folders = folders_in(tmp_path)
    assert len(folders) == len(SERVICES)
    segment = next(segment_of(one) for one in folders if (one / "data/PG_VERSION").exists())
    owner.kill()
    assert until(lambda: folders_in(tmp_path) == [])
    assert [pid for folder in folders for pid in processes_in(folder)] == []
    for url, pid in about.values():
        assert not Path(f"/proc/{pid}").exists()
        assert is_free(port_of(url))
    assert not segment_exists(segment)


def test_kill_9_of_the_owner_while_it_makes_its_servers_leaves_nothing(
    settings: Settings,
) -> None:
    """The pipe to the guardian closes while it runs initdb."""
    first = find_service("postgres").installations(settings)[0]
    child = os.fork()
    if child == 0:
        try:
            start(find_service("postgres"), first, settings.temp_dir)
        finally:
            os._exit(0)
    assert until(lambda: bool(list(settings.temp_dir.glob("*/data/base"))))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert until(lambda: folders_in(settings.temp_dir) == [])


def test_a_process_that_keeps_the_owners_pipe_open_does_not_keep_its_servers(
    tmp_path: Path, start_owner: Callable[..., Owner]
) -> None:
    """The owner ends while its own fork, with all its files, lives on."""
    owner, heir = start_owner("fork")
    try:
        assert len(folders_in(tmp_path)) == 1
        owner.kill()
        owner.wait()
        assert until(lambda: folders_in(tmp_path) == [])
        assert Path(f"/proc/{heir}").exists()
    finally:
        os.kill(heir, signal.SIGKILL)


@pytest.mark.parametrize("service", SERVICES)
def test_kill_9_of_the_guardian_leaves_no_server_and_its_folder_can_be_cleared(
    settings: Settings, service: str
) -> None:
    """The kernel ends the server, ``clear_leftovers`` removes folder and segment."""
    first = find_service(service).installations(settings)[0]
    embedded = start(find_service(service), first, settings.temp_dir)
    segment = segment_of(embedded.folder) if service == "postgres" else ""
    os.kill(embedded.guardian_pid, signal.SIGKILL)
    os.waitpid(embedded.guardian_pid, 0)
    assert until(lambda: processes_in(embedded.folder) == [])
    # The last threads of a killed process hold its port for a moment longer.
    assert until(lambda: is_free(port_of(embedded.server.url)), within_s=2.0)
    cleared = clear_leftovers(settings, SERVICES)
    assert cleared.problems == ()
    assert str(embedded.folder) in cleared.removed[0]
    assert folders_in(settings.temp_dir) == []
    assert not segment_exists(segment)


def test_kill_9_of_the_guardian_of_a_living_owner_leaves_no_folder_either(
    settings: Settings,
) -> None:
    """The session clears away in its place."""
    with ServiceSession(settings, SERVICES) as session:
        for embedded in session._embedded.values():
            os.kill(embedded.guardian_pid, signal.SIGKILL)
    assert folders_in(settings.temp_dir) == []


def test_servers_that_stand_still_end_as_soon_as_others(settings: Settings) -> None:
    """A stopped process heeds no order to end; each would be killed after a grace of 5 s."""
    with ServiceSession(settings, SERVICES):
        folders = folders_in(settings.temp_dir)
        for pid in (pid for folder in folders for pid in processes_in(folder)):
            os.kill(pid, signal.SIGSTOP)
        began_s = time.monotonic()
    assert time.monotonic() - began_s < 2.5 * len(SERVICES)
    assert folders_in(settings.temp_dir) == []


def test_clearing_away_touches_nothing_that_lives(settings: Settings) -> None:
    """The servers of a session answer as before."""
    with ServiceSession(settings, SERVICES) as session:
        cleared = clear_leftovers(settings, SERVICES)
        assert cleared.removed == cleared.problems == ()
        for service, server in session.servers.items():
            assert find_service(service).identify(server.url, 5.0) == server.facts


def test_postgresql_killed_with_sigkill_comes_back_with_what_it_had_committed(
    settings: Settings,
) -> None:
    """On the same URL: what the records say can still be compared with what it holds.

    The lock file that it leaves names a process; PostgreSQL refuses to start while one with that
    id lives, which the second time is ours.
    """
    with ServiceSession(settings, ["postgres"]) as session:
        killed = session.servers["postgres"]
        for round_number in (1, 2):
            server = session.servers["postgres"]
            with psycopg.connect(server.url) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
                connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
            os.kill(server.pids[0], signal.SIGKILL)
            (folder,) = folders_in(settings.temp_dir)
            segment = segment_of(folder)
            if round_number == 2:
                assert until(lambda: processes_in(folder) == [])  # noqa: B023 - called at once
                lock_file = folder / "data/postmaster.pid"
                _, _, rest = lock_file.read_text().partition("\n")
                lock_file.write_text(f"{os.getpid()}\n{rest}")
            restarted = session.restart("postgres")
            assert restarted.url == killed.url
            assert restarted.pids != server.pids
            with psycopg.connect(killed.url) as connection:
                row = connection.execute("SELECT count(*) FROM kept").fetchone()
            assert row == (1000 * round_number,)
            assert not segment_exists(segment) or segment_of(folder) == segment
        segment = segment_of(folder)
    assert not segment_exists(segment)


def test_a_server_that_is_frozen_can_be_stopped(settings: Settings) -> None:
    """SIGSTOP keeps it from seeing its stop signal; SIGKILL comes after the grace of 5 s."""
    with ServiceSession(settings, ["redis"]) as session:
        os.kill(session.servers["redis"].pids[0], signal.SIGSTOP)
    assert folders_in(settings.temp_dir) == []


def test_killing_a_connection_of_the_session_servers_does_not_end_them(
    servers: dict[str, Server],
) -> None:
    """A crashed back end makes PostgreSQL restart itself, on the same data and process."""
    url = servers["postgres"].url
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
        os.kill(connection.info.backend_pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    implementation = find_service("postgres")
    assert until(lambda: _answers(url))
    assert implementation.identify(url, 5.0) == servers["postgres"].facts


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
