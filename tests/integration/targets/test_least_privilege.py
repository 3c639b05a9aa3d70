"""Users of servers with what a run needs and no more: what is hidden is a gap with a reason."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import bson
import psycopg
import pytest

from perf_pipeline.loadgen.environment.server_trial import refuse_unreachable
from perf_pipeline.loadgen.users_servers import refuse_unprivileged
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.redis.session import session as redis_session
from perf_pipeline.servers.service import find_service
from tests.integration.targets.relay import relay
from tests.integration.targets.test_users_servers import named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.servers.server import Server
    from perf_pipeline.servers.snapshot import ServerSnapshot

pytestmark = pytest.mark.integration


def usable(url: str, service: str, folder: Path, python: Path) -> tuple[Server, ServerSnapshot]:
    """Return the server and what its probe is told; a run could use it."""
    settings = named(url, service, folder)
    (status,) = server_status(settings, [service])
    assert (status.state, status.health) == ("answers", "good")
    server, _ = running_server(settings, service)
    assert server is not None
    refuse_unprivileged([server])
    refuse_unreachable([server], "control", python)
    probe = find_service(service).open_probe(server.url, "nobody")
    try:
        return server, probe.ask()
    finally:
        probe.close()


@pytest.fixture
def postgres_user(servers: dict[str, Server]) -> Iterator[str]:
    """A login that owns nothing, with the URL to it; may not create a schema."""
    url = servers["postgres"].url
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute("CREATE ROLE plain LOGIN PASSWORD 'plain'")
        yield f"postgresql://plain:plain@127.0.0.1:{urlsplit(url).port}/postgres"
        admin.execute("REVOKE ALL ON DATABASE postgres FROM plain")
        admin.execute("DROP ROLE plain")


def test_a_plain_user_of_postgresql_is_told_what_to_grant_and_counts_everybody(
    servers: dict[str, Server], postgres_user: str, tmp_path: Path, python: Path
) -> None:
    """Types of others' sessions and the preloaded libraries are hidden from it."""
    server, _ = running_server(named(postgres_user, "postgres", tmp_path), "postgres")
    assert server is not None
    with pytest.raises(Exception, match=r"needs CREATE on the database .*permission denied"):
        refuse_unprivileged([server])
    with psycopg.connect(servers["postgres"].url, autocommit=True) as admin:
        admin.execute("GRANT CREATE ON DATABASE postgres TO plain")
        _, told = usable(postgres_user, "postgres", tmp_path, python)
        assert told.counters.query_time_s is not None
        service = find_service("postgres")
        count = service.connection_count(postgres_user, 5.0)
        assert count == service.connection_count(servers["postgres"].url, 5.0) >= 1


def test_a_plain_user_of_mysql_has_gaps_for_what_is_hidden(
    servers: dict[str, Server], tmp_path: Path, python: Path
) -> None:
    url = servers["mysql"].url
    plain = f"mysql://plain:plain@127.0.0.1:{urlsplit(url).port}/perf_pipeline"
    with mysql_session(url, 5.0) as admin:
        admin.execute("CREATE USER plain@'127.0.0.1' IDENTIFIED BY 'plain'")
        try:
            admin.execute("GRANT SELECT ON perf_pipeline.* TO plain@'127.0.0.1'")
            server, _ = running_server(named(plain, "mysql", tmp_path), "mysql")
            assert server is not None
            with pytest.raises(Exception, match=r"needs CREATE, DROP.*CREATE command denied"):
                refuse_unprivileged([server])
            admin.execute("GRANT CREATE, DROP, INSERT ON perf_pipeline.* TO plain@'127.0.0.1'")
            _, told = usable(plain, "mysql", tmp_path, python)
        finally:
            admin.execute("DROP USER plain@'127.0.0.1'")
    assert told.connections.waiting is None
    assert "GRANT PROCESS" in told.unavailable["waiting"]
    assert told.connections.total is not None
    assert told.counters.queries


def test_a_plain_user_of_redis_has_gaps_for_what_is_hidden(
    servers: dict[str, Server], tmp_path: Path, python: Path
) -> None:
    url = servers["redis"].url
    plain = f"redis://plain:plain@127.0.0.1:{urlsplit(url).port}/0"
    rules = ["on", ">plain", "~perf_pipeline:*", "+select", "+ping"]
    with redis_session(url, 5.0) as admin:
        admin.execute_command("ACL", "SETUSER", "plain", *rules)
        try:
            server, _ = running_server(named(plain, "redis", tmp_path), "redis")
            assert server is not None
            with pytest.raises(Exception, match=r"ACL SETUSER user ~perf_pipeline.*permission"):
                refuse_unprivileged([server])
            more = ["+client|setname", "+set", "+setex", "+scan", "+unlink"]
            admin.execute_command("ACL", "SETUSER", "plain", *more)
            server, told = usable(plain, "redis", tmp_path, python)
        finally:
            admin.execute_command("ACL", "DELUSER", "plain")
    assert server.facts.product in {"Valkey", "Redis"}
    assert told.connections.total is told.counters.queries is told.counters.query_time_s is None
    assert "CLIENT" in told.unavailable["total"]
    assert "INFO" in told.unavailable["queries"]


def test_a_plain_user_of_mongodb_has_gaps_for_what_is_hidden(
    servers: dict[str, Server], tmp_path: Path, python: Path
) -> None:
    """The stand-in has no users, so what stands before it refuses serverStatus."""

    def refuse(sent: bytes) -> bytes | None:
        if b"serverStatus" not in sent:
            return None
        said = {"ok": 0.0, "errmsg": "not authorized on admin", "code": 13}
        body = struct.pack("<IB", 0, 0) + bson.encode(said)
        asked = struct.unpack("<i", sent[4:8])[0]
        return struct.pack("<iiii", 16 + len(body), 1, asked, 2013) + body

    with relay(urlsplit(servers["mongodb"].url).port or 0, intercept=refuse) as port:
        plain = f"mongodb://127.0.0.1:{port}/perf_pipeline"
        (status,) = server_status(named(plain, "mongodb", tmp_path), ["mongodb"])
        assert (status.state, status.connections) == ("answers", None)
        assert "not authorized" in status.detail
        server, _ = running_server(named(plain, "mongodb", tmp_path), "mongodb")
        assert server is not None
        refuse_unprivileged([server])
        refuse_unreachable([server], "control", python)
