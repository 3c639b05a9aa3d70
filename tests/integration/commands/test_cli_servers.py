"""start, status and stop from outside, for every service that there is."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.services import SERVICES
from tests.sandbox import Sandbox, last_object, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("mariadb")]


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """One in which a stand-in for MongoDB is allowed, where there is no FerretDB."""
    made = Sandbox(tmp_path / "box")
    made.environ["PERF_PIPELINE_MONGODB_STANDIN"] = "nx-27017"
    yield made
    made.cli("stop")
    made.close()


def test_status_says_of_each_server_what_answers_where_and_how_well(sandbox: Sandbox) -> None:
    """Nothing runs, so there is nothing to be healthy; then all four; then one of them dies."""
    nothing = sandbox.cli("status", "--gate")
    assert nothing.returncode == 1
    assert "not healthy: no server runs" in nothing.stdout
    before = last_object(sandbox.cli("status", "--json").stdout)["servers"]
    assert {(one["state"], one["health"]) for one in before} == {("can_start", "not_running")}
    assert last_object(sandbox.cli("start", "--json").stdout)["left_out"] == []
    well = sandbox.cli("status", "--gate", "--json")
    assert well.returncode == 0
    servers = {one["service"]: one for one in last_object(well.stdout)["servers"]}
    assert list(servers) == list(SERVICES)
    for one in servers.values():
        assert (one["state"], one["health"], one["source"]) == ("answers", "good", "start")
        assert "127.0.0.1:" in one["url"]
        assert one["connections"] == 0
        assert 0 < one["answer_s"] < 5
    assert servers["mongodb"]["product"] in {"FerretDB", "nx-27017"}
    assert servers["mysql"]["max_connections"] == servers["postgres"]["max_connections"] == 500
    shown = sandbox.cli("status").stdout
    assert "PostgreSQL" in shown.splitlines()[0]
    assert "connections 0 of 500, answered in " in " ".join(shown.split())

    (killed,) = [pid for pid, line in sandbox.processes().items() if "--datadir" in line]
    os.kill(killed, signal.SIGKILL)
    assert until(lambda: killed not in sandbox.processes(), 10)
    failing = sandbox.cli("status", "--gate", "--json")
    assert failing.returncode == 1
    assert "not healthy: mysql\n" in failing.stderr
    healths = [one["health"] for one in last_object(failing.stdout)["servers"]]
    assert healths == ["good", "failing", "good", "good"]
    assert last_object(sandbox.cli("stop", "--json").stdout)["stopped"] == list(SERVICES)
    assert sandbox.processes() == {}
    assert list(sandbox.temp.iterdir()) == []


def test_start_leaves_out_what_cannot_be_had_and_says_so(sandbox: Sandbox) -> None:
    """MongoDB's URL does not answer, so that no stand-in takes its place either."""
    sandbox.environ["PERF_PIPELINE_MONGODB_URL"] = "mongodb://127.0.0.1:9/db"
    started = sandbox.cli("start", "--json")
    assert started.returncode == 0, started.stderr
    told = last_object(started.stdout)
    assert [one["service"] for one in told["servers"]] == ["postgres", "mysql", "redis"]
    (sentence,) = told["left_out"]
    assert sentence.startswith("mongodb is left out. ")
    assert "PERF_PIPELINE_MONGODB_URL" in sentence
    assert sentence in started.stderr
    assert sandbox.cli("status", "--gate").returncode == 1


def test_start_fails_if_nothing_can_be_had(sandbox: Sandbox) -> None:
    """Every URL leads to where nothing listens; the exit code is that of bad input."""
    for service in SERVICES:
        scheme = "postgresql" if service == "postgres" else service
        name = "0" if service == "redis" else "db"
        url = f"{scheme}://u:secret@127.0.0.1:9/{name}"
        sandbox.environ[f"PERF_PIPELINE_{service.upper()}_URL"] = url
    started = sandbox.cli("start", "--json")
    assert started.returncode == 2
    (problem,) = last_object(started.stdout)["problems"]
    assert problem.count("is left out") == len(SERVICES)
    assert "secret" not in started.stdout + started.stderr
