"""Several hosts, replica sets and odd passwords: harness, probe and workers reach the same."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

import bson
import psycopg
import pytest

from perf_pipeline.loadgen.environment.server_trial import refuse_unreachable
from perf_pipeline.loadgen.run_data import RunData
from perf_pipeline.loadgen.users_servers import refuse_unprivileged
from perf_pipeline.servers.lifecycle.resolve import running_server
from tests.integration.targets.relay import relay
from tests.integration.targets.test_users_servers import named

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

_QUERY, _MESSAGE = 2004, 2013
ODD = "p@:/?#%' \";--x"
"""Every character of it means something to somebody who reads URLs."""


def use(url: str, service: str, folder: Path, python: Path) -> Server:
    """Use a server as a run does, and its workers."""
    server, _ = running_server(named(url, service, folder), service)
    assert server is not None
    refuse_unprivileged([server])
    refuse_unreachable([server], "control", python)
    probe = RunData(server, "r-hosts").watched().probe
    assert probe.ask().connections.how
    probe.close()
    return server


@contextmanager
def replica_set(port: int) -> Iterator[int]:
    """Let the MongoDB on a port be the primary of a replica set rs0, at another port."""
    said: dict[str, object] = {}

    def answer(sent: bytes) -> bytes | None:
        _, request, _, kind = struct.unpack("<iiii", sent[:16])
        if not any(word in sent for word in (b"ismaster", b"isMaster", b"hello\0")):
            return None
        head, reply = (b"\0" * 20, 1) if kind == _QUERY else (b"\0" * 5, _MESSAGE)
        if kind == _QUERY:
            head = struct.pack("<iqii", 8, 0, 0, 1)
        body = head + bson.encode(said)
        return struct.pack("<iiii", 16 + len(body), 1, request, reply) + body

    with relay(port, intercept=answer) as own:
        me = f"127.0.0.1:{own}"
        said |= {
            "ok": 1.0, "ismaster": True, "isWritablePrimary": True, "setName": "rs0",
            "hosts": [me], "primary": me, "me": me, "minWireVersion": 0, "maxWireVersion": 17,
        }  # fmt: skip
        yield own


def test_a_replica_set_is_found_through_a_list_of_hosts(
    servers: dict[str, Server], tmp_path: Path, python: Path
) -> None:
    """The first of them does not answer; a driver that took no list would stop there."""
    with replica_set(urlsplit(servers["mongodb"].url).port or 0) as port:
        url = f"mongodb://127.0.0.1:1,127.0.0.1:{port}/perf_pipeline?replicaSet=rs0&w=1&appName=x"
        server = use(url, "mongodb", tmp_path, python)
        assert f"127.0.0.1:1,127.0.0.1:{port}" in server.redacted_url
        with pytest.raises(Exception, match="does not answer"):
            use(url.replace("rs0", "rs1"), "mongodb", tmp_path, python)


def test_the_writable_one_of_postgresqls_hosts_is_used(
    servers: dict[str, Server], tmp_path: Path, python: Path
) -> None:
    parts = urlsplit(servers["postgres"].url)
    login, _, address = parts.netloc.rpartition("@")
    hosts = f"{login}@127.0.0.1:1,{address}"
    url = f"postgresql://{hosts}{parts.path}?target_session_attrs=read-write"
    server = use(url, "postgres", tmp_path, python)
    assert "secret" not in server.redacted_url
    assert (parts.password or "-") not in server.redacted_url


def test_a_password_may_hold_what_ends_other_parts_of_a_url(
    servers: dict[str, Server], tmp_path: Path, python: Path
) -> None:
    """Kailash refuses a URL with such characters, but is given none."""
    with psycopg.connect(servers["postgres"].url, autocommit=True) as admin:
        port = urlsplit(servers["postgres"].url).port
        text = ODD.replace("'", "''")
        admin.execute(f"CREATE ROLE odd LOGIN SUPERUSER PASSWORD '{text}'".encode())
        try:
            url = f"postgresql://odd:{quote(ODD, safe='')}@127.0.0.1:{port}/postgres"
            use(url, "postgres", tmp_path, python)
            wrong = url.replace("odd:", "odd:x")
            with pytest.raises(Exception, match="authentication failed") as raised:
                use(wrong, "postgres", tmp_path, python)
            assert "URL" in str(raised.value)
            assert "--x" not in str(raised.value)
        finally:
            admin.execute("DROP ROLE odd")
