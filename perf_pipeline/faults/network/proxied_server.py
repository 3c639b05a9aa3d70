"""The server of a fault with the proxy before it, and the two paths that evidence compares."""

from __future__ import annotations

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

THROUGH_S = 0.2
"""How long a sign waits for answers through the proxy."""


class ProxiedServer:
    """A server behind a proxy.

    Attributes:
        proxy: Name of the proxy, which is the service's.
        client: Controls the proxy.
        found: The proxy, as it was found.
        address: Host and port of the proxy.
        direct: The path past the proxy.
        through: The path through it.
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
        self._through_url = url_through(self.proxy, self._server.url, *self.address)
        self.direct = Path(self.proxy, self._server.url, self._clock_ns)
        self.through = Path(self.proxy, self._through_url, self._clock_ns)
        for path, where in ((self.direct, "past the proxy"), (self.through, "through the proxy")):
            path.begin()
            trip = path.wait(OPENED_S)
            if not trip.is_answered:
                why = trip.error or f"no answer within {OPENED_S:.0f} s"
                raise FaultRefusedError(f"{self.proxy} does not answer {where}: {why}")

    def state(self) -> ProxyState:
        """Return the state of the proxy.

        Raises:
            FaultRefusedError: It does not answer, or there is none of this name.
        """
        try:
            return self.client.proxy(self.proxy)
        except ProxyControlError as error:
            raise FaultRefusedError(str(error)) from error

    def trips(self, size_bytes: int = 1, count: int = 1) -> tuple[Trip, Trip | None]:
        """Exchange something over both paths at the same time.

        Args:
            size_bytes: Of each exchange.
            count: How many exchanges to make, as far as ``THROUGH_S`` allows; with several, each
                time is the mean of those that were answered. One that is not answered yet is left
                to the next call.

        Returns:
            The exchange past the proxy, and the one through it: None unless the first was
            answered.
        """
        begun_ns = self._clock_ns()
        pairs: list[tuple[Trip, Trip]] = []
        while len(pairs) < count:
            self.direct.begin(size_bytes)
            self.through.begin(size_bytes)
            direct = self.direct.wait(DIRECT_S)
            if not direct.is_answered:
                return direct, None
            left_s = THROUGH_S - (self._clock_ns() - begun_ns) / 1e9
            through = self.through.wait(max(0.0, left_s))
            if through.is_answered or through.error or not pairs:
                pairs.append((direct, through))
            if left_s <= 0 or not through.is_answered:
                break
        direct, through = (_mean(trips) for trips in zip(*pairs, strict=True))
        return direct, through

    def renew(self) -> None:
        """Open the path through the proxy anew: an exchange of before no longer counts."""
        self.through.close()
        self.through = Path(self.proxy, self._through_url, self._clock_ns)


def _with_proxy(place: Place) -> tuple[FaultedServer, str]:
    server = place.server
    if server is None or server.proxy_url is None:
        name = "the machine" if server is None else server.service
        raise FaultRefusedError(
            f"no proxy stands before {name}: this fault is made in the proxy between workers and "
            "a server, which a run starts for each server with a network fault"
        )
    return server, server.proxy_url


def _mean(trips: tuple[Trip, ...]) -> Trip:
    *_, last = trips
    return type(last)(sum(one.took_s for one in trips) / len(trips), last.is_answered, last.error)
