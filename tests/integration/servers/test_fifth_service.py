"""A fifth service needs a folder and one line of registration; everything else finds it by name."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from perf_pipeline.config.scenario.keys import TOP
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import read_settings
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.plan.level_job import level_job
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.run_data import RunData
from perf_pipeline.loadgen.run_servers import RunServers
from perf_pipeline.report.level import level_view
from perf_pipeline.servers.lifecycle.lease import abandoned_leases, leased, return_leases
from perf_pipeline.servers.lifecycle.persistent_servers import stop_servers
from perf_pipeline.servers.lifecycle.services import ServiceSession, start_servers
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.service import Service, Startable, Storage, find_service, how_to_get
from perf_pipeline.targets.user_function import server_environment
from perf_pipeline.worker.waits import where
from perf_pipeline.workload.servers import connection_name
from tests.integration.servers.shelf.service import SPEC
from tests.integration.servers.shelf.session import session
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

RUN = "2026-11-24T05-30-12Z-4f2c"


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERVICES, SPEC.name, SPEC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose folders are the test's own; MariaDB is not needed here."""
    home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"}
    return read_settings(home, current_dir=tmp_path)


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A Shelf, for the test."""
    with ServiceSession(settings, ["shelf"]) as started:
        yield started.servers["shelf"]


@pytest.mark.parametrize("name", [*SERVICES, "shelf"])
def test_every_service_implements_the_protocol(name: str) -> None:
    service = find_service(name)
    missing = [
        f"{protocol.__name__}.{member}"
        for protocol, found in (
            (Startable, service),
            (Service, service),
            (Storage, service.storage),
        )
        for member in (*vars(protocol), *protocol.__annotations__)
        if not member.startswith("_") and not hasattr(found, member)
    ]
    assert missing == []
    assert name == service.NAME
    spec = SERVICES[name]
    assert how_to_get(name).endswith(f"or set {spec.url_variable}={spec.example_url}.")


def test_it_is_started_identified_and_ended_with_its_session(settings: Settings) -> None:
    (before,) = server_status(settings, ["shelf"])
    assert (before.state, before.health) == ("can_start", "not_running")
    with ServiceSession(settings, ["shelf"]) as started:
        found = started.servers["shelf"]
        assert (found.facts.product, found.facts.version, found.source) == (
            "Shelf", "1.2", "machine",
        )  # fmt: skip
        assert list(settings.temp_dir.glob("perf_pipeline-server-*"))
        assert started.restart("shelf").url == found.url
    assert not list(settings.temp_dir.glob("perf_pipeline-server-*"))


def test_it_is_left_running_found_again_and_stopped(settings: Settings) -> None:
    start_servers(settings, ["shelf"], pytest.fail)
    try:
        (running,) = server_status(settings, ["shelf"])
        assert (running.state, running.health, running.source) == ("answers", "good", "start")
        assert until(lambda: server_status(settings, ["shelf"])[0].connections == 0)
        with ServiceSession(settings, ["shelf"]) as found:
            assert found.servers["shelf"].source == "start"
    finally:
        assert stop_servers(settings, ["shelf"]) == ["shelf"]


def test_a_url_in_the_settings_is_checked_and_used(
    settings: Settings, server: Server, tmp_path: Path
) -> None:
    given = {"HOME": str(tmp_path), SPEC.url_variable: server.url.removesuffix("/0")}
    named = read_settings(given, current_dir=tmp_path)
    assert named.urls == {"shelf": server.url}
    with ServiceSession(replace(settings, urls=named.urls), ["shelf"]) as found:
        assert found.servers["shelf"].source == "settings"
    with pytest.raises(ScenarioError, match="PERF_PIPELINE_SHELF_URL begins with"):
        read_settings({**given, SPEC.url_variable: "redis://h:1/0"}, current_dir=tmp_path)


def test_a_runs_data_are_made_counted_settled_and_dropped(server: Server) -> None:
    data = RunData(server, RUN)
    assert data.seed(7) == 1
    with session(server.url, 5.0) as ask:
        for number in range(3):
            ask("put", key=f"{data.name}0/{number}", value="x")
        ask("put", key="theirs", value="x")
    assert data.written_numbers(0) == {0, 1, 2}
    assert data.settle() == "4 keys removed."
    assert data.written_numbers(0) == set()


def test_a_lease_on_the_users_server_is_returned(settings: Settings, server: Server) -> None:
    """At the end of its run; and by the next clearing if the run's process is dead."""
    theirs = replace(server, source="settings")
    data = RunData(theirs, RUN)
    with leased(settings.state_dir, theirs, data.name):
        data.seed(7)
        (lease,) = (settings.state_dir / "leases").iterdir()
        values = json.loads(lease.read_text())
    assert data.settle() == "0 keys removed."
    data.seed(7)
    pid, start, *boot = values["owner"]
    lease.write_text(json.dumps({**values, "owner": [pid, start - 1, *boot]}))
    removed, problems = return_leases(abandoned_leases(settings.state_dir), [theirs.url])
    assert (len(removed), problems) == (1, [])
    assert data.settle() == "0 keys removed."


def test_its_connections_are_counted_by_the_runs_name(server: Server) -> None:
    watched = RunData(server, RUN).watched()
    with session(server.url, 5.0, connection_name(RUN)) as ask:
        ask("list")
        assert watched.probe.ask().connections.total == 1
    watched.probe.close()
    assert watched.pids == server.pids


def test_a_scenario_names_it_and_its_workers_are_given_its_address(
    settings: Settings, tmp_path: Path
) -> None:
    (key,) = (key for key in TOP if key.name == "servers")
    assert list(key.problems_of(["shelf"])) == []
    scenario = Scenario(
        "x", target="callable", concurrency=(2,), servers=("shelf",),
        workloads=(Workload("module:function", ""),),
    )  # fmt: skip
    with ExitStack() as stack:
        servers = RunServers(scenario, settings, RUN, notify=lambda _: None, stack=stack)
        (server,) = servers.open().values()
        plan = plan_levels(scenario, 1)[0]
        job = level_job(plan, run_id=RUN, kinds=(), run_data=servers.run_data, files=tmp_path)
    assert job.servers.addresses["shelf"] == (server.url, f"{RUN}/", False)
    assert server_environment(job.servers)["PERF_PIPELINE_SHELF_URL"] == server.url


def test_a_thread_in_its_driver_waits_for_it_under_its_label() -> None:
    path = "/venv/lib/python3.11/site-packages/shelf_client/session.py"
    frame: Any = SimpleNamespace(
        f_code=SimpleNamespace(co_filename=path, co_name="read"), f_back=None
    )
    assert where(cast("FrameType", frame)) == "shelf"
    assert level_view._activity("shelf") == "waiting for the answer of Shelf"
