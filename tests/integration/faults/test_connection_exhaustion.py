"""Every connection that a server accepts is held by other clients."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from redis import Redis
from redis.exceptions import RedisError

from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.kinds.connection_exhaustion import make
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.postgres import service as postgres
from perf_pipeline.servers.postgres.session import session as postgres_session
from perf_pipeline.servers.redis.session import session as redis_session
from perf_pipeline.servers.service import NotAnsweringError
from tests.integration.faults.played import injected, place_on
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import Fault
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

SESSIONS: dict[str, Callable[[str, float], AbstractContextManager[object]]] = {
    "postgres": postgres_session,
    "mysql": mysql_session,
    "redis": redis_session,
}
ASKED = {"postgres": "SELECT 1", "mysql": "SELECT 1", "redis": "PING"}


@pytest.mark.parametrize("service", ["mysql", "redis"])
def test_a_new_connection_is_refused_and_an_open_one_is_answered(
    servers: dict[str, Server], service: str, tmp_path: Path
) -> None:
    """With ``inject`` doing nothing, ``injected`` fails: no sign comes in 10 s."""
    server = servers[service]
    with limited(server, 40), SESSIONS[service](server.url, 5.0) as kept:
        assert answers(kept, service)
        with injected(make(place_on(tmp_path / "fault", server), {})):
            assert answers(kept, service)
            assert not accepts(server)
        assert accepts(server)


def test_a_superuser_finds_no_free_session_either(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twenty sessions three are reserved for superusers, and those are taken as well."""
    monkeypatch.setitem(postgres._OPTIONS, "max_connections", "20")
    with ServiceSession(settings, ["postgres"]) as started:
        server = started.servers["postgres"]
        with postgres_session(server.url, 5.0) as kept:
            with injected(make(place_on(tmp_path / "fault", server), {})):
                assert answers(kept, "postgres")
                assert not accepts(server)
            assert accepts(server)


@pytest.mark.slow
def test_five_hundred_sessions_are_taken(servers: dict[str, Server], tmp_path: Path) -> None:
    """As many as the servers of a run accept; PostgreSQL forks a process for each."""
    server = servers["postgres"]
    with injected(make(place_on(tmp_path / "fault", server), {})) as fault:
        assert fault.sign().value >= 500


def test_a_connection_that_a_client_gives_up_is_taken(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """The failure has one more than while the client had its own."""
    server = servers["redis"]
    with limited(server, 20):
        given_up = Redis.from_url(server.url)
        given_up.ping()
        with injected(make(place_on(tmp_path / "fault", server), {})) as fault:
            held = held_by(fault)
            given_up.connection_pool.disconnect()
            assert until(lambda: held_by(fault) == held + 1, 5.0)


def test_a_server_that_others_have_exhausted_is_no_failure_of_ours(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    """Thirty clients hold what it accepts; a new one is refused, without a sign of the failure."""
    server = servers["redis"]
    with limited(server, 30), ExitStack() as others:
        fault = make(place_on(tmp_path / "fault", server), {})
        while accepts(server):
            client = others.enter_context(closing(Redis.from_url(server.url)))
            with suppress(RedisError):
                client.ping()
        sign = fault.sign()
        assert "0 of them of the fault; a new one is refused" in sign.text
        assert not sign.in_effect
        fault.undo()


def test_a_server_without_a_limit_is_refused(servers: dict[str, Server], tmp_path: Path) -> None:
    with pytest.raises(FaultRefusedError, match="no limit on its connections"):
        make(place_on(tmp_path / "fault", servers["mongodb"]), {}).preflight()


def held_by(fault: Fault) -> int:
    """Return how many connections of a failure its server counts."""
    return int(fault.state()["connections of the fault"])


def answers(session: object, service: str) -> bool:
    """Return whether an open session is answered."""
    if service == "redis":
        assert isinstance(session, Redis)
        return bool(session.ping())
    session.execute("SELECT 1")  # type: ignore[attr-defined]
    return bool(session.fetchone() if service == "mysql" else True)  # type: ignore[attr-defined]


def accepts(server: Server) -> bool:
    """Return whether a client can connect and is answered."""
    try:
        with SESSIONS[server.service](server.url, 5.0) as session:
            return answers(session, server.service)
    except NotAnsweringError:
        return False


@contextmanager
def limited(server: Server, count: int) -> Iterator[None]:
    """Have a server accept only so many connections for the block, where that can be changed."""
    if server.service == "mysql":
        with mysql_session(server.url, 5.0) as cursor:
            cursor.execute(f"SET GLOBAL max_connections = {count}")
        yield
        with mysql_session(server.url, 5.0) as cursor:
            cursor.execute("SET GLOBAL max_connections = 500")
    elif server.service == "redis":
        with redis_session(server.url, 5.0) as client:
            before = client.config_get("maxclients")["maxclients"]
            client.config_set("maxclients", count)
            yield
            client.config_set("maxclients", before)
    else:
        yield
