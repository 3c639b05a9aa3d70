"""Open connections to a server are reset, some every second, whether data flows or not."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.network.kernel_resets import aborted_connections
from perf_pipeline.faults.network.proxied_server import ProxiedServer
from perf_pipeline.faults.proxy.client import ProxyControlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State
    from perf_pipeline.faults.proxy.proxy_state import ConnectionCounts

MIN_WINDOW_S = 1.0
_CONNECTED_S = 1.0
_INTERVALS = 2.5
"""A sign looks back on so many intervals between resets."""


@dataclass(frozen=True)
class ResetCounts:
    """What was counted of resets so far.

    Attributes:
        at_ns: When, monotonic.
        proxy: By the proxy.
        kernel: By the kernel, of every program.
    """

    at_ns: int
    proxy: ConnectionCounts
    kernel: int


class ConnectionReset:
    """Has the proxy reset one connection at a time.

    Evidence: within the last second (or two and a half intervals) the proxy counted a reset of a
    worker's connection, and the kernel at least as many that were closed so. While no worker has
    any, the session of evidence is reset. The thread that asks for resets ends with this process.
    """

    _server: ProxiedServer | None = None

    def __init__(self, place: Place, resets_per_s: float) -> None:
        """Prepare.

        Args:
            place: Where it happens.
            resets_per_s: How many connections a second.
        """
        self._place = place
        self._interval_s = 1 / resets_per_s
        self._window_s = max(MIN_WINDOW_S, _INTERVALS * self._interval_s)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: deque[ResetCounts] = deque()

    @property
    def server(self) -> ProxiedServer:
        """The server with its proxy, once ``preflight`` has found it."""
        assert self._server is not None
        return self._server

    def preflight(self) -> None:
        """Find the proxy, which must be ours.

        Raises:
            FaultRefusedError: There is none, or it is another product.
        """
        server = ProxiedServer(self._place)
        try:
            self._seen.append(self._counts_of(server))
        except ProxyControlError as error:
            server.close()
            raise FaultRefusedError(
                f"it needs perf_pipeline's own proxy; this one is {server.client.version()}, "
                "which resets connections only when data flows over them, and all of them"
            ) from error
        except (OSError, ValueError) as error:
            server.close()
            raise FaultRefusedError(f"its resets could not be proven: {error}") from error
        self._server = server
        server.close()  # one of its sessions would be lost by the failure

    def state(self) -> State:
        """Return whether the proxy accepts connections."""
        return {"enabled": str(self.server.state().enabled)}

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return nothing: it dies with this process."""
        return {}

    def inject(self) -> None:
        """Reset a connection now, and more from now on."""
        self.server.through.begin()  # so that there is one
        self.server.through.wait(_CONNECTED_S)
        self.server.client.reset_connections(self.server.proxy, 1)
        self._thread = threading.Thread(target=self._reset, name="connection-reset", daemon=True)
        self._thread.start()

    def sign(self) -> Sign:
        """Compare what the proxy and the kernel counted with their counts of before."""
        self.server.through.begin()  # so that there is always a connection to be reset
        now = self._counts_of(self.server)
        self._seen.append(now)
        while len(self._seen) > 1 and self._seen[1].at_ns < now.at_ns - 1e9 * self._window_s:
            self._seen.popleft()
        first = self._seen[0]
        of_workers = now.proxy.resets - first.proxy.resets
        of_probes = now.proxy.probe_resets - first.proxy.probe_resets
        resets = min(of_workers + of_probes, now.kernel - first.kernel)
        seconds = max(1e-9, (now.at_ns - first.at_ns) / 1e9)
        has_workers = (
            first.proxy.open or now.proxy.open or now.proxy.accepted > first.proxy.accepted
        )
        missed = bool(has_workers) and not of_workers
        return Sign(
            in_effect=resets > 0 and not missed,
            value=resets / seconds,
            text=f"{resets} connections reset in {seconds:.2f} s"
            + (", none of a worker" if missed else ""),
        )

    def undo(self) -> None:
        """Reset no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        if self._server is not None:
            self._seen.clear()
            self._seen.append(self._counts_of(self.server))
            self._server.close()

    def _counts_of(self, server: ProxiedServer) -> ResetCounts:
        kernel = aborted_connections()
        proxy = server.client.connections(server.proxy)
        return ResetCounts(self._place.clock_ns(), proxy, kernel)

    def _reset(self) -> None:
        due_ns = self._place.clock_ns()
        while True:
            due_ns += round(1e9 * self._interval_s)
            if self._stop.wait(max(0.0, (due_ns - self._place.clock_ns()) / 1e9)):
                return
            self.server.client.reset_connections(self.server.proxy, 1)


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure."""
    return ConnectionReset(place, float(settings["resets_per_s"]))
