"""Failures that a Docker engine makes of real containers: in effect, seen by others, taken back."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.config.settings import current_settings
from perf_pipeline.faults.marker import faulted_server
from perf_pipeline.run import Run
from perf_pipeline.samples.fault_log import read_faults
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.selftest.fault_trials.fault_trial import FaultTrial, Victim
from perf_pipeline.selftest.fault_trials.played_here import played_here
from perf_pipeline.servers.stack.docker_container import DockerContainer
from perf_pipeline.servers.stack.stack_server import stack_server
from tests.docker.faulted_containers import PASSWORD, container_stack, load_on
from tests.integration.conftest import settings_in
from tests.integration.faults.playing import assert_acted, played
from tests.integration.levels.loads import QUICK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.docker.engine import Engine

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.config.stack_settings import StackSettings
    from perf_pipeline.faults.fault import FaultedServer

pytestmark = pytest.mark.integration

FAULTS = {
    "pause": FaultWindow("server_freeze", "redis", 0.2, 1.5),
    "kill": FaultWindow("server_crash", "redis", 0.2, 1.5),
    "kill-postgres": FaultWindow("server_crash", "postgres", 0.2, 1.5),
    "disconnect": FaultWindow("network_partition", "redis", 0.2, 1.5, {"way": "disconnect"}),
    "cpu": FaultWindow("cpu_limit", "redis", 0.2, 2.0, {"cpus": 0.2}),
    "memory": FaultWindow("memory_limit", "postgres", 0.2, 2.0, {"memory_mb": 128.0}),
}
WITHIN_S = 15.0
"""Three times what is promised: other tests have the cores."""


@pytest.fixture(scope="module")
def stack(
    engine: Engine, debian_servers: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StackSettings]:
    """A running stack."""
    folder = tmp_path_factory.mktemp("stack")
    with container_stack(Path(engine.socket), debian_servers, folder, random.Random()) as settings:
        yield settings


@pytest.fixture
def servers(stack: StackSettings) -> dict[str, FaultedServer]:
    """Its servers, as failures are injected into them."""
    found = {service: stack_server(stack, service) for service in ("postgres", "redis")}
    assert all(notes == [] for _, notes in found.values()), found
    return {name: faulted_server(one) for name, (one, _) in found.items() if one is not None}


@pytest.mark.parametrize("name", FAULTS)
def test_a_container_is_in_the_failure_for_its_window_and_as_before_afterwards(
    name: str, servers: dict[str, FaultedServer], tmp_path: Path
) -> None:
    """Under a load, without which a limit is none; networks, limits and ports are those before."""
    window = FAULTS[name]
    server = servers[window.server]
    before = _lasting(server)
    with load_on(server.service, server.url):
        record = played(window, server, tmp_path)
    assert_acted(record)
    assert _lasting(server) == before


@pytest.mark.parametrize("name", FAULTS)
def test_an_injector_that_does_nothing_to_a_container_is_seen(
    name: str, servers: dict[str, FaultedServer], tmp_path: Path
) -> None:
    window = replace(FAULTS[name], duration_s=0.6)
    server = servers[window.server]
    with load_on(server.service, server.url):
        record = played_here(window, server, tmp_path / "sham", is_sham=True)
    assert record.signs != ()
    assert record.evidence_share == 0.0


def test_a_limit_that_the_server_does_not_reach_is_no_failure(
    servers: dict[str, FaultedServer], tmp_path: Path
) -> None:
    """Nobody asks this Redis for anything but the injector: the kernel never throttles it."""
    record = played(FAULTS["cpu"], servers["redis"], tmp_path)
    assert record.gone_ns is not None
    assert record.evidence_share < 0.5
    assert not record.is_valid
    assert "limited to 0.2 CPUs" in record.signs[-1].text


@pytest.mark.parametrize(
    ("name", "victim"),
    [*((name, Victim.INJECTOR) for name in FAULTS), ("pause", Victim.ALL)],
)
def test_a_failure_of_a_container_is_undone_when_its_injector_is_killed(
    name: str,
    victim: Victim,
    servers: dict[str, FaultedServer],
    settings: Settings,
    tmp_path: Path,
) -> None:
    """By the guardian; or by the next run, where the guardian and the step were killed as well."""
    window = replace(FAULTS[name], duration_s=30.0)
    server = servers[window.server]
    before = _lasting(server)
    trial = QuietTrial(window, server, settings, tmp_path / "trial")
    with load_on(server.service, server.url):
        found = trial.kill(victim)
    assert found.left == ""
    assert found.seconds is not None
    assert found.seconds < WITHIN_S
    assert _lasting(server) == before


def test_a_run_finds_the_stack_meets_the_failures_and_records_the_container(
    stack: StackSettings, settings: Settings
) -> None:
    """The Redis of the stack goes before the one on this machine, and its memory is measured."""
    told: list[str] = []
    scenario = replace(
        QUICK,
        phases=Phases(
            ramp_up_s=0.1,
            warm_up_s=0.3,
            steady_s=9.0,
            steady_max_s=9.0,
            drain_s=5.0,
            deadline_s=40.0,
        ),
        faults=(
            FaultWindow("server_freeze", "redis", 1.0, 1.5),
            FaultWindow("server_crash", "redis", 4.5, 1.5),
        ),
    )
    settings = replace(settings, cache_dir=current_settings().cache_dir)
    with Run(scenario, settings, notify=told.append) as run:
        folder = run.load()
    frozen, killed = read_faults(folder.root / "levels/00-4")
    for record in (frozen, killed):
        assert_acted(record)
    by_service = {one.service: one for one in read_manifest(folder).servers}
    server = by_service["redis"]
    assert by_service["postgres"].source == "stack"
    assert server.source == "stack"
    assert server.container is not None
    assert server.container.name == f"{stack.name}_redis"
    assert (server.container.cpus, server.container.memory_bytes) == (1.5, 768 * 2**20)
    assert PASSWORD not in server.url
    assert told


class QuietTrial(FaultTrial):
    """A trial beside a load, whose connections come and go and are none of the failure's."""

    def _around(self, probe: object) -> dict[str, str]:
        around = super()._around(probe)  # type: ignore[arg-type]
        return {name: value for name, value in around.items() if name != "connections"}


@pytest.fixture
def settings(stack: StackSettings, tmp_path: Path) -> Settings:
    """Settings that know the stack and nothing else of the user's."""
    return replace(settings_in(tmp_path), stack=stack)


def _lasting(server: FaultedServer) -> tuple[object, ...]:
    """Return what a failure must leave as it was."""
    assert server.container is not None
    now = DockerContainer(server.container.engine, server.container.id).inspect()
    aliases = [(one.network, sorted(one.aliases)) for one in now.endpoints]
    return now.status, aliases, now.cpu, now.memory_bytes, now.memory_swap_bytes
