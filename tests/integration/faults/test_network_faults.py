"""Failures of the network on real servers: proven while they last, gone afterwards, never faked."""

from __future__ import annotations

import random
import socket
import time
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.faults.fault import FaultedServer, FaultRefusedError, Place, Sign
from perf_pipeline.faults.marker import faulted_server
from perf_pipeline.faults.network.exchanges import exchange
from perf_pipeline.faults.proxy.proxy_process import ProxyProcess
from perf_pipeline.selftest.fault_trials.fault_trial import FaultTrial, Victim
from perf_pipeline.servers.mongodb import session as mongodb
from perf_pipeline.servers.mysql import session as mysql
from perf_pipeline.servers.postgres import session as postgres
from perf_pipeline.servers.redis import session as redis
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.servers.through_proxy import upstream_of, url_through
from tests.integration.faults.conftest import shopifys
from tests.integration.faults.playing import assert_acted, played
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.faults.fault import Fault
    from perf_pipeline.faults.proxy.client import ProxyClient
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

SERVICES = ("postgres", "mysql", "redis", "mongodb")
SESSIONS: dict[str, Any] = {
    "postgres": postgres.session,
    "mysql": mysql.session,
    "redis": redis.session,
    "mongodb": mongodb.session,
}
NETWORK: list[tuple[str, dict[str, Any]]] = [
    ("network_latency", {"latency_ms": 60.0}),
    ("network_latency", {"latency_ms": 60.0, "jitter_ms": 30.0}),
    ("network_latency", {"latency_ms": 5000.0}),
    ("bandwidth_limit", {"rate_kb_per_s": 64.0}),
    ("network_partition", {"way": "silent"}),
    ("network_partition", {"way": "reset"}),
    ("network_partition", {"way": "refuse"}),
    ("connection_reset", {"resets_per_s": 10.0}),
]
NAMES = [f"{kind}-{'-'.join(map(str, settings.values()))}" for kind, settings in NETWORK]


class Bench:
    """Servers with a proxy before each, and the failures that can be made there."""

    def __init__(self, servers: dict[str, Server], client: ProxyClient, folder: Path) -> None:
        self.client = client
        self._servers = servers
        self._folder = folder
        for name in SERVICES:
            host, port = upstream_of(name, servers[name].url)
            self.client.create(name, "127.0.0.1:0", f"{host}:{port}")

    def fault(self, kind: str, service: str, settings: dict[str, Any]) -> Fault:
        given = {name: one.default for name, one in FAULT_KINDS[kind].settings.items()}
        server = FaultedServer(
            service, self._servers[service].url, proxy_url=self.client.control_url
        )
        place = Place(server, self._folder, random.Random(1), time.monotonic_ns, time.sleep)
        made: Fault = import_module(f"perf_pipeline.faults.kinds.{kind}").make(
            place, {**given, **settings}
        )
        return made

    def faulted(self, service: str) -> FaultedServer:
        server = faulted_server(self._servers[service])
        return replace(server, proxy_url=self.client.control_url)

    def through(self, service: str) -> str:
        return url_through(service, self._servers[service].url, *self.client.proxy(service).address)


@pytest.fixture(scope="module")
def bench(servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """The servers of the test session behind proxies."""
    with ProxyProcess(seed=1) as process:
        yield Bench(servers, process.client, tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def shopifys_bench(
    servers: dict[str, Server], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """The same behind Shopify's Toxiproxy."""
    with shopifys() as client:
        yield Bench(servers, client, tmp_path_factory.mktemp("place"))


def signs(fault: Fault, count: int) -> list[Sign]:
    """Return signs as the player takes them: one every quarter of a second."""
    found = []
    for _ in range(count):
        begun_s = time.monotonic()
        found.append(fault.sign())
        time.sleep(max(0.0, 0.25 - (time.monotonic() - begun_s)))
    return found


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("kind", "settings"), NETWORK, ids=NAMES)
def test_a_network_failure_is_proven_while_it_lasts_and_gone_afterwards(
    bench: Bench, service: str, kind: str, settings: dict[str, Any]
) -> None:
    """Four signs in a row; then, within 5 s, none, and the proxy is as it was before."""
    fault = bench.fault(kind, service, settings)
    fault.preflight()
    before = fault.state()
    assert not fault.sign().in_effect
    try:
        fault.inject()
        assert until(lambda: fault.sign().in_effect, 3)
        found = signs(fault, 4)
    finally:
        fault.undo()
    assert sum(one.in_effect for one in found) >= 3, [one.text for one in found]
    assert until(lambda: not fault.sign().in_effect, 5)
    assert fault.state() == before
    assert bench.client.proxy(service).toxics == ()
    with SESSIONS[service](bench.through(service), 5.0) as opened:
        exchange(service, opened, 10)


@pytest.mark.parametrize(("kind", "settings"), NETWORK, ids=NAMES)
def test_a_sham_that_injects_nothing_is_not_in_effect(
    bench: Bench, kind: str, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = bench.fault(kind, "redis", settings)
    monkeypatch.setattr(fault, "inject", lambda: None)
    fault.preflight()
    fault.inject()
    found = signs(fault, 4)
    fault.undo()
    assert sum(one.in_effect for one in found) <= 1, [one.text for one in found]


def test_the_figures_of_signs_are_what_was_asked_for(bench: Bench) -> None:
    """120 ms of latency on Redis are seen as 120 ms, from the second sign on."""
    fault = bench.fault("network_latency", "redis", {"latency_ms": 120.0})
    fault.preflight()
    fault.inject()
    try:
        lowest = min(one.value for one in signs(fault, 4)[1:])
    finally:
        fault.undo()
    assert 115 < lowest < 200


def test_a_write_into_a_silent_partition_arrives_after_it(bench: Bench) -> None:
    """As over a real network: who gave up waiting cannot know that nothing was stored."""
    fault = bench.fault("network_partition", "redis", {"way": "silent"})
    fault.preflight()
    fault.inject()
    try:
        with (
            pytest.raises(NotAnsweringError),
            redis.session(bench.through("redis"), 0.5) as client,
        ):
            client.set("partitioned", "1")
    finally:
        fault.undo()
    with redis.session(bench.through("redis"), 5.0) as client:
        assert client.ping()


def test_without_a_proxy_a_network_failure_is_refused(
    servers: dict[str, Server], tmp_path: Path
) -> None:
    server = FaultedServer("redis", servers["redis"].url)
    place = Place(server, tmp_path, random.Random(1), time.monotonic_ns, time.sleep)
    module = import_module("perf_pipeline.faults.kinds.network_latency")
    fault = module.make(place, {"latency_ms": 50.0, "jitter_ms": 0.0})
    with pytest.raises(FaultRefusedError, match="no proxy stands before redis"):
        fault.preflight()
    fault.undo()


def test_a_limit_above_what_the_path_carries_is_refused(bench: Bench) -> None:
    """1 GB/s: nobody could tell it from no limit, so it is not claimed."""
    fault = bench.fault("bandwidth_limit", "redis", {"rate_kb_per_s": 1_000_000.0})
    with pytest.raises(FaultRefusedError, match="would not be seen"):
        fault.preflight()


def test_one_failure_of_a_kind_at_a_time(bench: Bench) -> None:
    first = bench.fault("network_latency", "redis", {})
    first.preflight()
    first.inject()
    second = bench.fault("network_latency", "redis", {})
    with pytest.raises(FaultRefusedError, match="end that fault first"):
        second.preflight()
    first.undo()


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


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "settings"), NETWORK[:-1], ids=NAMES[:-1])
def test_the_same_failures_are_made_in_shopifys_toxiproxy(
    shopifys_bench: Bench, kind: str, settings: dict[str, Any]
) -> None:
    """One client for both: what a Compose stack has is driven as the embedded one is."""
    fault = shopifys_bench.fault(kind, "redis", settings)
    fault.preflight()
    before = fault.state()
    assert not fault.sign().in_effect
    try:
        fault.inject()
        assert until(lambda: fault.sign().in_effect, 3)
        found = signs(fault, 4)
    finally:
        fault.undo()
    assert sum(one.in_effect for one in found) >= 3, [one.text for one in found]
    assert until(lambda: not fault.sign().in_effect, 5)
    assert fault.state() == before


@pytest.mark.slow
def test_shopifys_toxiproxy_is_refused_where_it_cannot_do_it(shopifys_bench: Bench) -> None:
    fault = shopifys_bench.fault("connection_reset", "redis", {})
    with pytest.raises(FaultRefusedError, match="needs perf_pipeline's own proxy"):
        fault.preflight()


@pytest.mark.parametrize(("kind", "settings"), NETWORK, ids=NAMES)
def test_a_window_played_by_the_injector_has_evidence_and_leaves_nothing(
    bench: Bench, kind: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    """As in a run, without a load: a window of 2 s on Redis, then no toxic and no connection."""
    server = bench.faulted("redis")
    before = bench.client.connections("redis").open
    record = played(FaultWindow(kind, "redis", 0.2, 2.0, settings), server, tmp_path)
    assert_acted(record)
    assert bench.client.proxy("redis").toxics == ()
    assert until(lambda: bench.client.connections("redis").open <= before, 5)


@pytest.mark.parametrize("victim", [Victim.INJECTOR, Victim.BOTH, Victim.STEP])
@pytest.mark.parametrize("way", ["silent", "refuse"])
def test_a_partition_is_taken_back_when_something_of_its_run_is_killed(
    bench: Bench, way: str, victim: Victim, settings: Settings, tmp_path: Path
) -> None:
    """The proxy outlives an injector, so its guardian or the next start opens the path again."""
    window = FaultWindow("network_partition", "redis", 0.0, 30.0, {"way": way})
    trial = FaultTrial(window, bench.faulted("redis"), settings, tmp_path / "trial")
    found = trial.kill(victim)
    assert found.left == ""
    assert found.seconds is not None
    assert found.seconds < 5
    state = bench.client.proxy("redis")
    assert (state.enabled, state.toxics) == (True, ())
