"""The proxies between the workers of a run and the servers on which it has failures of the network.

They are in the path in every level of such a run, its levels without failures included, and in no
other run: what they add is in both of what is compared. The harness itself goes past them.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import needs_proxy
from perf_pipeline.errors import PerfPipelineError, ServiceUnavailableError
from perf_pipeline.faults.proxy.added_latency import measure_added_latency
from perf_pipeline.faults.proxy.client import ProxyControlError
from perf_pipeline.faults.proxy.main_thread import main_thread_cpu_ns
from perf_pipeline.faults.proxy.proxy_process import ProxyProcess
from perf_pipeline.samples.manifest import ProxyRecord
from perf_pipeline.servers.lifecycle.port import LOOPBACK
from perf_pipeline.servers.service import AddressError
from perf_pipeline.servers.through_proxy import upstream_of, url_through

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.faults.proxy.client import ProxyClient
    from perf_pipeline.faults.proxy.proxy_state import ProxyState
    from perf_pipeline.servers.server import Server

BUSY = 0.7
"""Share of a level in which the proxies may be busy: beyond it messages wait for each other."""

_PORTS_TRIED = 5


@dataclass(frozen=True)
class ServerProxy:
    """A proxy before one server; its name at the control address is the service's.

    Attributes:
        control_url: Where it is controlled (``faults.proxy.client``).
        workers_url: How workers reach the server through it; with the password.
        address: Host and port of the proxy.
    """

    control_url: str
    workers_url: str
    address: tuple[str, int]


class ProxiedServers:
    """The process of a run's proxies, and the servers that they stand before.

    Attributes:
        proxies: Service to the proxy before it.
        record: What the manifest says of them.
        pid: Of their process.
    """

    def __init__(
        self,
        servers: Mapping[str, Server],
        *,
        seed: int,
        decisions_file: Path,
        ports: Iterator[int],
        stack: ExitStack,
    ) -> None:
        """Start the process and a proxy before each server.

        Args:
            servers: Service to server.
            seed: Of the random choices of the proxies.
            decisions_file: Where these are written.
            ports: Free ports, for the proxies.
            stack: Ends the process.

        Raises:
            ServiceUnavailableError: No proxy can stand before a server.
        """
        upstreams = {name: _upstream(server) for name, server in servers.items()}
        self._process = stack.enter_context(ProxyProcess(seed, decisions_file))
        self.pid = self._process.pid
        client = self._process.client
        self.proxies: dict[str, ServerProxy] = {}
        for name, upstream in upstreams.items():
            address = _created(client, name, upstream, ports).address
            workers_url = url_through(name, servers[name].url, *address)
            self.proxies[name] = ServerProxy(self._process.control_url, workers_url, address)
        added = measure_added_latency(client, self.pid, time.monotonic_ns)
        self.record = ProxyRecord(
            services=tuple(servers),
            version=client.version(),
            direct_s=added.direct_s,
            added_s=added.median_s,
            added_p99_s=added.p99_s,
            cpu_s=added.cpu_s,
            round_trips=added.round_trips,
        )

    @contextmanager
    def watched(self, level: str) -> Iterator[None]:
        """Note in the record how busy the proxies are in the block.

        Args:
            level: What the block plays.
        """
        begun_ns, used_ns = time.monotonic_ns(), main_thread_cpu_ns(self.pid)
        yield
        now_ns, length_ns = main_thread_cpu_ns(self.pid), time.monotonic_ns() - begun_ns
        if now_ns is not None and used_ns is not None:
            busy = self.record.busy | {level: round((now_ns - used_ns) / length_ns, 3)}
            self.record = replace(self.record, busy=busy)

    def refuse_ended(self) -> None:
        """Refuse to go on once the proxies are gone.

        Raises:
            PerfPipelineError: Their process has ended.
        """
        if why := self._process.ended_because():
            raise PerfPipelineError(
                f"The process of the proxies before {', '.join(self.proxies)} is gone: {why}.\n"
                "What workers met from then on was no failure of the scenario. Run it again; if it "
                "happens again, look for what killed it (memory: dmesg)."
            )


def busy_sentence(record: ProxyRecord, level: str) -> str:
    """Return the sentence about proxies that a level waited for; empty if it did not."""
    share = record.busy.get(level, 0.0)
    if share <= BUSY:
        return ""
    names = ", ".join(record.services)
    return (
        f"the proxies before {names} were busy for {100 * share:.0f} % of the time: the target "
        "waited for them too, with failures and without; lower the load"
    )


def proxied_services(faults: Iterable[FaultWindow]) -> list[str]:
    """Return the services that some failures are made for in the proxy before them."""
    return sorted({one.server for one in faults if needs_proxy(one)})


def _created(client: ProxyClient, name: str, upstream: str, ports: Iterator[int]) -> ProxyState:
    """Create a proxy on the first port that nobody has taken since it was found free."""
    refusals = []
    for port in islice(ports, _PORTS_TRIED):
        try:
            return client.create(name, f"{LOOPBACK}:{port}", upstream)
        except ProxyControlError as error:
            refusals.append(str(error))
    raise ServiceUnavailableError(
        f"{name}: no proxy could be put before it.\n" + "\n".join(refusals)
    )


def _upstream(server: Server) -> str:
    try:
        host, port = upstream_of(server.service, server.url)
    except AddressError as error:
        raise ServiceUnavailableError(
            f"{server.service}: no proxy can stand before it, since its URL {error}.\n"
            "Leave out the faults of the network on it, or let the run start a server of its own."
        ) from error
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
