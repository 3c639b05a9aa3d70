"""Failures of the network on real servers: proven while they last, gone afterwards, never faked."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.faults.fault import FaultedServer, FaultRefusedError, Place
from perf_pipeline.faults.network import proxied_server
from perf_pipeline.faults.network.exchanges import exchange
from perf_pipeline.servers.redis import session as redis
from perf_pipeline.servers.service import NotAnsweringError
from tests.integration.faults.network.echo import client_of
from tests.integration.faults.network.proxied_bench import (
    NAMES,
    NETWORK,
    SERVICES,
    SESSIONS,
    assert_proven,
    signs,
)
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.servers.server import Server
    from tests.integration.faults.network.proxied_bench import Bench

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("kind", "settings"), NETWORK, ids=NAMES)
def test_a_network_failure_is_proven_while_it_lasts_and_gone_afterwards(
    bench: Bench, kind: str, settings: dict[str, Any]
) -> None:
    """On four servers side by side; before it is injected it is a sham, and nothing is seen."""

    def proven(service: str) -> None:
        assert_proven(bench, service, kind, settings)
        with SESSIONS[service](bench.through(service), 5.0) as opened:
            exchange(service, opened, 10)

    with ThreadPoolExecutor(len(SERVICES)) as pool:
        list(pool.map(proven, SERVICES))


def test_the_figures_of_signs_are_what_was_asked_for(bench: Bench) -> None:
    """120 ms of latency on Redis are seen as such, once an exchange has had the time to end.

    A sign is an answer through the proxy less one past it, which takes some ms on a busy machine.
    """
    fault = bench.fault("network_latency", "redis", {"latency_ms": 120.0})
    fault.preflight()
    fault.inject()
    try:
        lowest = min(one.value for one in signs(fault, 3, every_s=0.2)[1:])
    finally:
        fault.undo()
    assert 100 < lowest < 200


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


def test_idle_connections_of_workers_are_reset(bench: Bench) -> None:
    """Those of a pool, over which no data flow."""
    fault = bench.fault("connection_reset", "redis", {"resets_per_s": 20.0})
    fault.preflight()
    with client_of(bench.client.proxy("redis").address) as worker:
        worker.sendall(b"PING\r\n")
        assert worker.recv(7) == b"+PONG\r\n"
        fault.inject()
        try:
            assert until(lambda: fault.sign().in_effect, 3)
            with pytest.raises(ConnectionResetError):
                worker.recv(1)
        finally:
            fault.undo()


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
    """10 GB/s: nobody could tell it from no limit, so it is not claimed."""
    fault = bench.fault("bandwidth_limit", "redis", {"rate_kb_per_s": 10_000_000.0})
    with pytest.raises(FaultRefusedError, match="would not be told from no failure"):
        fault.preflight()


def test_what_the_path_has_already_would_be_taken_for_another_failure(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Silence for 60 ms would be seen of a latency of 50 ms too."""
    monkeypatch.setattr(proxied_server, "CLEAR_S", 0.05)
    first = bench.fault("network_latency", "redis", {})
    first.preflight()
    first.inject()
    for kind in ("network_latency", "network_partition", "connection_reset"):
        second = bench.fault(kind, "redis", {})
        with pytest.raises(FaultRefusedError, match="end that fault first"):
            second.preflight()
    first.undo()


def test_a_failure_waits_until_the_one_before_it_is_gone(bench: Bench) -> None:
    """It is made ready 1.5 s before its window, in which the other may still be in effect."""
    first = bench.fault("network_partition", "redis", {"way": "refuse"})
    first.preflight()
    first.inject()
    end = threading.Timer(0.2, first.undo)
    end.start()
    second = bench.fault("network_latency", "redis", {})
    second.preflight()
    end.join()
    assert second.state() == {"toxics": ""}
    second.undo()


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "settings"), NETWORK[:-1], ids=NAMES[:-1])
def test_the_same_failures_are_made_in_shopifys_toxiproxy(
    shopifys_bench: Bench, kind: str, settings: dict[str, Any]
) -> None:
    """One client for both: what a Compose stack has is driven as the embedded one is."""
    assert_proven(shopifys_bench, "redis", kind, settings)


@pytest.mark.slow
def test_shopifys_toxiproxy_is_refused_where_it_cannot_do_it(shopifys_bench: Bench) -> None:
    fault = shopifys_bench.fault("connection_reset", "redis", {})
    with pytest.raises(FaultRefusedError, match="needs perf_pipeline's own proxy"):
        fault.preflight()
