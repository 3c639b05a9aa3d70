"""Real servers behind proxies, the failures of the network, and what is asked of each of them."""

from __future__ import annotations

import random
import time
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.faults.fault import FaultedServer, Place, Sign
from perf_pipeline.faults.marker import faulted_server
from perf_pipeline.servers.mongodb import session as mongodb
from perf_pipeline.servers.mysql import session as mysql
from perf_pipeline.servers.postgres import session as postgres
from perf_pipeline.servers.redis import session as redis
from perf_pipeline.servers.through_proxy import upstream_of, url_through
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.faults.fault import Fault
    from perf_pipeline.faults.proxy.client import ProxyClient
    from perf_pipeline.servers.server import Server

SERVICES = ("postgres", "mysql", "redis", "mongodb")
SESSIONS: dict[str, Any] = {
    "postgres": postgres.session,
    "mysql": mysql.session,
    "redis": redis.session,
    "mongodb": mongodb.session,
}
NETWORK: list[tuple[str, dict[str, Any]]] = [
    ("network_latency", {"latency_ms": 60.0}),
    ("network_latency", {"latency_ms": 200.0, "jitter_ms": 100.0}),
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

    def opened(self, service: str) -> int:
        """Return how many connections there are through the proxy."""
        counts = self.client.connections(service)
        return counts.open + counts.probe_open

    def through(self, service: str) -> str:
        return url_through(service, self._servers[service].url, *self.client.proxy(service).address)


def signs(fault: Fault, count: int, every_s: float = 0.1) -> list[Sign]:
    """Return signs, taken more often than the player does."""
    found = []
    for _ in range(count):
        begun_s = time.monotonic()
        found.append(fault.sign())
        time.sleep(max(0.0, every_s - (time.monotonic() - begun_s)))
    return found


def assert_proven(bench: Bench, service: str, kind: str, settings: dict[str, Any]) -> None:
    """See that a failure has signs while it lasts, few before, and none after; nothing is left."""
    fault = bench.fault(kind, service, settings)
    try:
        fault.preflight()
        before = fault.state()
        sham = signs(fault, 4)
        assert sum(one.in_effect for one in sham) <= 2, [one.text for one in sham]
        fault.inject()
        assert until(lambda: fault.sign().in_effect, 3)
        found = signs(fault, 4)
        fault.undo()
        assert sum(one.in_effect for one in found) >= 3, [one.text for one in found]
        assert until(lambda: not fault.sign().in_effect, 5)
        assert fault.state() == before
    finally:
        fault.undo()  # what is asked after the first one opens sessions again
    assert bench.client.proxy(service).toxics == ()
