"""Failures of the network as an injector plays them, and what is left of them: nothing."""

from __future__ import annotations

import socket
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.selftest.fault_trials.fault_trial import FaultTrial, Victim
from tests.integration.faults.network.proxied_bench import NETWORK, SERVICES
from tests.integration.faults.playing import assert_acted, played_together
from tests.integration.faults.test_undo_matrix import WITHIN_S
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from tests.integration.faults.network.proxied_bench import Bench

pytestmark = pytest.mark.integration

PERSISTING = [(kind, settings) for kind, settings in NETWORK[3:] if FAULT_KINDS[kind].persists]


@pytest.mark.parametrize(("kind", "settings"), PERSISTING)
def test_what_a_killed_injector_left_is_undone_from_its_entry(
    bench: Bench, kind: str, settings: dict[str, Any]
) -> None:
    """The entry alone is known to a guardian; undoing twice, or a proxy that is gone, is fine."""
    fault = bench.fault(kind, "redis", settings)
    fault.preflight()
    before, entry = fault.state(), fault.undo_entry()
    fault.inject()
    assert fault.state() != before
    module = import_module(f"perf_pipeline.faults.kinds.{kind}")
    for _ in range(2):
        module.undo_left_behind(entry)
    assert fault.state() == before
    with socket.create_server(("127.0.0.1", 0)) as free:
        gone = f"http://127.0.0.1:{free.getsockname()[1]}"
    module.undo_left_behind({**entry, "control_url": gone})


def test_the_entry_of_another_run_undoes_nothing(bench: Bench) -> None:
    """A control port may belong to another run's proxies by the next start."""
    theirs = bench.fault("network_partition", "redis", {"way": "refuse"})
    theirs.preflight()
    entry = {**theirs.undo_entry(), "listen": "127.0.0.1:1"}
    theirs.inject()
    module = import_module("perf_pipeline.faults.kinds.network_partition")
    module.undo_left_behind(entry)
    assert theirs.state() == {"enabled": "False"}
    theirs.undo()
    assert theirs.state() == {"enabled": "True"}


WINDOWS = [
    FaultWindow(kind, SERVICES[number % 4], 0.2 + 4.0 * (number // 4), 2.0, settings)
    for number, (kind, settings) in enumerate(NETWORK)
]


def test_windows_played_by_the_injector_have_evidence_and_leave_nothing(
    bench: Bench, tmp_path: Path
) -> None:
    """As in a run, without a load: two windows of 2 s on each server, one after the other."""
    servers = {service: bench.faulted(service) for service in SERVICES}
    before = {service: bench.opened(service) for service in SERVICES}
    for record in played_together(WINDOWS, servers, tmp_path):
        assert_acted(record)
    for service in SERVICES:
        assert bench.client.proxy(service).toxics == ()
        assert until(lambda service=service: bench.opened(service) <= before[service], 5)


@pytest.mark.parametrize(("way", "victim"), [("silent", Victim.INJECTOR), ("refuse", Victim.BOTH)])
def test_a_partition_is_taken_back_when_something_of_its_run_is_killed(
    bench: Bench, way: str, victim: Victim, settings: Settings, tmp_path: Path
) -> None:
    """The proxy outlives an injector, so its guardian or the next start opens the path again."""
    window = FaultWindow("network_partition", "redis", 0.0, 30.0, {"way": way})
    trial = FaultTrial(window, bench.faulted("redis"), settings, tmp_path / "trial")
    found = trial.kill(victim)
    assert found.left == ""
    assert found.seconds is not None
    assert found.seconds < WITHIN_S
    state = bench.client.proxy("redis")
    assert (state.enabled, state.toxics) == (True, ())
