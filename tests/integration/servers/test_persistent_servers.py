"""Servers that stay until they are stopped, and what runs leave on the user's servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.servers.lifecycle.lease import leased
from perf_pipeline.servers.lifecycle.leftovers import clear_leftovers
from perf_pipeline.servers.lifecycle.persistent_servers import read_persistent, stop_servers
from perf_pipeline.servers.lifecycle.port import is_free
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.servers.lifecycle.services import ServiceSession, start_servers
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.postgres.data import provision
from tests.integration.runs.traces import (
    folders_in,
    names_on,
    port_of,
    schemas,
)
from tests.integration.servers.owner_process import LEASED
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server
    from tests.integration.conftest import Owner

pytestmark = pytest.mark.integration


def test_started_servers_are_used_by_runs_until_they_are_stopped(settings: Settings) -> None:
    """Starting twice starts once; runs do not stop them, clearing does not remove them."""
    assert {one.state for one in server_status(settings, SERVICES)} == {"can_start"}
    started = start_servers(settings, SERVICES, pytest.fail)
    try:
        again = start_servers(settings, SERVICES, pytest.fail)
        assert [one.url for one in again] == [one.url for one in started]
        with ServiceSession(settings, SERVICES) as session:
            assert {one.source for one in session.servers.values()} == {"start"}
        assert {one.source for one in server_status(settings, SERVICES)} == {"start"}
        assert clear_leftovers(settings, SERVICES).removed == ()
        assert len(folders_in(settings.temp_dir)) == len(SERVICES)
    finally:
        assert stop_servers(settings, SERVICES) == list(SERVICES)
    assert folders_in(settings.temp_dir) == []
    assert all(is_free(port_of(one.url)) for one in started)
    assert stop_servers(settings, SERVICES) == []


def test_a_started_server_outlives_kill_9_of_its_starter(
    settings: Settings, start_owner: Callable[..., Owner]
) -> None:
    """It still answers when a guardian has long seen its owner's end, and stops on command."""
    owner, (url,) = start_owner("start")
    owner.kill()
    owner.wait()
    assert not until(lambda: is_free(port_of(url)), within_s=1.5)
    running, notes = running_server(settings, "redis")
    assert running is not None
    assert (running.url, notes) == (url, [])
    assert stop_servers(settings, ["redis"]) == ["redis"]
    assert is_free(port_of(url))


def test_a_started_server_that_was_killed_and_replaced_leaves_no_guardian(
    settings: Settings,
) -> None:
    """Its server is killed; `start` starts another in its place, and `stop` ends all of it."""
    (first,) = start_servers(settings, ["redis"], pytest.fail)
    noted = read_persistent(settings.state_dir, "redis")
    assert noted
    os.kill(first.pids[0], signal.SIGKILL)
    assert until(lambda: not noted.server.is_alive(), within_s=5)
    assert noted.guardian.is_alive()
    (second,) = start_servers(settings, ["redis"], pytest.fail)
    assert second.url != first.url
    assert not noted.guardian.is_alive()
    assert not noted.folder.exists()
    assert stop_servers(settings, ["redis"]) == ["redis"]
    assert folders_in(settings.temp_dir) == []


def test_a_note_whose_process_id_was_given_to_another_is_not_trusted(settings: Settings) -> None:
    """The note names this very process with another start time: it is neither used nor ended."""
    (started,) = start_servers(settings, ["redis"], pytest.fail)
    path = settings.state_dir / "servers/redis.json"
    note = json.loads(path.read_text())
    assert stop_servers(settings, ["redis"]) == ["redis"]
    note["guardian"] = note["server"] = own_stamp()._replace(start_ticks=1)
    path.write_text(json.dumps(note))
    running, notes = running_server(settings, "redis")
    assert running is None
    assert "has ended" in notes[0]
    assert stop_servers(settings, ["redis"]) == []
    assert not path.exists()
    assert is_free(port_of(started.url))


def test_a_run_killed_while_it_used_the_users_servers_is_cleared_from_them(
    settings: Settings, servers: dict[str, Server], start_owner: Callable[..., Owner]
) -> None:
    """Once the settings name those servers again; until then the sentences say so."""
    urls = {name: servers[name].url for name in LEASED}
    owner, _ = start_owner("lease", *urls.values())
    named = replace(settings, urls=urls)
    assert clear_leftovers(named, SERVICES).removed == ()
    owner.kill()
    owner.wait()
    assert names_on(servers) >= {"postgres run_killed", "mysql run_killed", "mongodb run_killed"}
    problems = clear_leftovers(settings, SERVICES).problems
    assert len(problems) == len(LEASED)
    assert "PERF_PIPELINE_MONGODB_URL" in problems[0]
    cleared = clear_leftovers(named, SERVICES)
    assert cleared.problems == ()
    assert [line.partition(" ")[0] for line in cleared.removed] == ["run_killed"] * len(LEASED)
    assert not [name for name in names_on(servers) if "run_killed" in name]
    assert clear_leftovers(named, SERVICES).removed == ()


def test_no_password_of_the_users_server_is_written_to_disk(
    settings: Settings, servers: dict[str, Server]
) -> None:
    """The lease names the server without it."""
    theirs = replace(servers["postgres"], source="settings")
    with leased(settings.state_dir, theirs, "run_secret"):
        (note,) = (settings.state_dir / "leases").iterdir()
        password = theirs.url.split(":")[2].partition("@")[0]
        assert len(password) > 20
        assert password not in note.read_text()
        assert theirs.redacted_url in note.read_text()


def test_a_lease_on_the_users_server_ends_with_its_block_even_if_that_is_interrupted(
    settings: Settings, servers: dict[str, Server]
) -> None:
    """Ctrl-C is a BaseException."""
    theirs = replace(servers["postgres"], source="settings")
    with pytest.raises(KeyboardInterrupt):
        _interrupted_run(settings, theirs)
    assert "run_failed" not in schemas(theirs.url)
    assert list((settings.state_dir / "leases").iterdir()) == []


def test_what_could_not_be_removed_is_noted_on_the_error_that_ended_the_block(
    settings: Settings, servers: dict[str, Server]
) -> None:
    """The note of the lease stays for the clearing op."""
    gone = replace(servers["redis"], source="settings", url="redis://127.0.0.1:9/0")
    with pytest.raises(ZeroDivisionError) as raised, leased(settings.state_dir, gone, "p:"):
        _ = 1 // 0
    assert "p: could not be removed from redis://127.0.0.1:9/0" in raised.value.__notes__[0]
    assert len(list((settings.state_dir / "leases").iterdir())) == 1


@pytest.mark.parametrize("service", SERVICES)
def test_the_end_of_a_lease_does_not_wait_for_a_server_that_is_dead(
    settings: Settings, servers: dict[str, Server], service: str
) -> None:
    """Somebody accepts connections there and never answers; to remove data may take 30 s."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = servers[service].url
        silent_url = url.replace(f":{port_of(url)}/", f":{silent.getsockname()[1]}/")
        dead = replace(servers[service], source="settings", url=silent_url)
        with pytest.raises(ServiceUnavailableError), leased(settings.state_dir, dead, "p:"):
            began_s = time.monotonic()
    assert time.monotonic() - began_s < 13


def _interrupted_run(settings: Settings, theirs: Server) -> None:
    with leased(settings.state_dir, theirs, "run_failed") as schema:
        ddl = [f"CREATE TABLE {schema}.t (n int)"]
        provision(theirs.url, schema, ddl=ddl, table="t", columns=["n"], rows=[[1]])
        assert schema in schemas(theirs.url)
        raise KeyboardInterrupt
