"""The server of a fault with the proxy before it, and the two paths that evidence compares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.network.path import Path
from perf_pipeline.faults.proxy.client import ProxyClient, ProxyControlError
from perf_pipeline.servers.through_proxy import url_through

if TYPE_CHECKING:
    from perf_pipeline.faults.fault import FaultedServer, Place
    from perf_pipeline.faults.network.path import Trip
    from perf_pipeline.faults.proxy.client import ProxyState

OPENED_S = 10.0
"""How long the first exchange over each path may take, with its login."""

DIRECT_S = 0.4
"""A server that takes longer past the proxy is itself in trouble: nothing is said about the path.
Less than half a second, for which a sign holds."""

_MARGIN_S = 0.005


@dataclass(frozen=True)
class Trips:
    """The same exchange at the same time over both paths.

    Attributes:
        direct: Past the proxy.
        through: Through it; None if the one past it was not answered.
        earlier: The one before it through the proxy, if nobody was left waiting when it ended.
    """

    direct: Trip
    through: Trip | None = None
    earlier: Trip | None = None


class ProxiedServer:
    """A server behind a proxy.

    Attributes:
        proxy: Name of the proxy, which is the service's.
        client: Controls the proxy.
        found: The proxy, as it was found.
        address: Host and port of the proxy.
    """

    def __init__(self, place: Place) -> None:
        """Find the proxy, and exchange something over both paths.

        Args:
            place: Where the fault happens.

        Raises:
            FaultRefusedError: There is no proxy, it does not answer or is not enabled, or the
                server does not answer.
        """
        self._server, control_url = _with_proxy(place)
        self._clock_ns = place.clock_ns
        self.proxy = self._server.service
        self.client = ProxyClient(control_url)
        self.found = self.state()
        if not self.found.enabled:
            raise FaultRefusedError(f"the proxy before {self.proxy} is disabled: enable it first")
        self.address = self.found.address
        self._open: dict[str, Path] = {}
        self._urls = {
            "past the proxy": self._server.url,
            "through the proxy": url_through(self.proxy, self._server.url, *self.address),
        }
        for where in self._urls:
            self._path(where).begin()
            trip = self._path(where).wait(OPENED_S)
            if not trip.is_answered:
                why = trip.error or f"no answer within {OPENED_S:.0f} s"
                self.close()
                raise FaultRefusedError(f"{self.proxy} does not answer {where}: {why}")

    @property
    def direct(self) -> Path:
        """The path past the proxy."""
        return self._path("past the proxy")

    @property
    def through(self) -> Path:
        """The path through the proxy."""
        return self._path("through the proxy")

    def state(self) -> ProxyState:
        """Return the state of the proxy.

        Raises:
            FaultRefusedError: It does not answer, or there is none of this name.
        """
        try:
            return self.client.proxy(self.proxy)
        except ProxyControlError as error:
            raise FaultRefusedError(str(error)) from error

    def trips(self, needed_s: float, size_bytes: int = 1) -> Trips:
        """Exchange something over both paths at the same time.

        Args:
            needed_s: How much longer than past the proxy the exchange through it is waited for.
            size_bytes: Of the exchange.
        """
        self.direct.begin(size_bytes)
        earlier = self.through.begin(size_bytes)
        direct = self.direct.wait(DIRECT_S)
        if not direct.is_answered:
            return Trips(direct)
        limit_s = direct.took_s + needed_s
        through = self.through.wait(limit_s)
        if not through.is_answered and not through.error and through.took_s < limit_s:
            through = self.through.wait(limit_s - through.took_s + _MARGIN_S)  # it began late
        return Trips(direct, through, earlier)

    def close(self) -> None:
        """End both sessions; the next exchange opens others, and knows nothing of those before."""
        for path in self._open.values():
            path.close()
        self._open.clear()

    def _path(self, where: str) -> Path:
        if where not in self._open:
            self._open[where] = Path(self.proxy, self._urls[where], self._clock_ns)
        return self._open[where]


def _with_proxy(place: Place) -> tuple[FaultedServer, str]:
    server = place.server
    if server is None or server.proxy_url is None:
        name = "the machine" if server is None else server.service
        raise FaultRefusedError(
            f"no proxy stands before {name}: this fault is made in the proxy between workers and "
            "a server, which a run starts for each server with a network fault"
        )
    return server, server.proxy_url
