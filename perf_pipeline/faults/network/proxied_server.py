"""The server of a fault with the proxy before it, and the two paths that evidence compares."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from perf_pipeline.faults.fault import FaultRefusedError
from perf_pipeline.faults.network.path import Path
from perf_pipeline.faults.proxy.client import ProxyClient, ProxyControlError
from perf_pipeline.servers.through_proxy import url_through

if TYPE_CHECKING:
    from perf_pipeline.faults.fault import FaultedServer, Place
    from perf_pipeline.faults.network.path import Trip
    from perf_pipeline.faults.proxy.proxy_state import ProxyState

OPENED_S = 10.0
"""How long the first exchange over each path may take, with its login."""

DIRECT_S = 0.4
"""A server that takes longer past the proxy is itself in trouble: nothing is said about the path.
Less than half a second, for which a sign holds."""

CLEAR_S = 2.0
"""How long another failure of the same path, whose window is over, may take to be gone."""

_POLL_S = 0.02
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
        address: Host and port of the proxy for workers.
        probe_address: For evidence: the same way with a listener of its own, so that nothing of it
            is counted as the workers'. That of the workers if the proxy is not ours.
    """

    def __init__(self, place: Place) -> None:
        """Find the proxy, and exchange something over both paths.

        Args:
            place: Where the fault happens.

        Raises:
            FaultRefusedError: There is no proxy, it does not answer, something is done to its
                path already, or the server does not answer.
        """
        self._server, control_url = _with_proxy(place)
        self._clock_ns = place.clock_ns
        self.proxy = self._server.service
        self.client = ProxyClient(control_url)
        self.found = self._clear(place)
        self.address = self.found.address
        self.probe_address = self._probe_address()
        self._open: dict[str, Path] = {}
        self._urls = {
            "past the proxy": self._server.url,
            "through the proxy": url_through(self.proxy, self._server.url, *self.probe_address),
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

    def _clear(self, place: Place) -> ProxyState:
        """Return the state of the proxy once nothing is done to its path.

        What another failure does would be taken for what this one does.
        """
        deadline_ns = self._clock_ns() + round(1e9 * CLEAR_S)
        while problem := _in_the_way(found := self.state()):
            if self._clock_ns() > deadline_ns:
                raise FaultRefusedError(f"the proxy before {self.proxy} {problem}")
            place.sleep(_POLL_S)
        return found

    def _probe_address(self) -> tuple[str, int]:
        try:
            return self.client.connections(self.proxy).probe_address
        except ProxyControlError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return self.address  # another product
            raise FaultRefusedError(str(error)) from error

    def _path(self, where: str) -> Path:
        if where not in self._open:
            self._open[where] = Path(self.proxy, self._urls[where], self._clock_ns)
        return self._open[where]


def _in_the_way(found: ProxyState) -> str:
    """Return what is done to the path already, as the tail of a sentence; empty for nothing."""
    if not found.enabled:
        return "is disabled: enable it first"
    if names := ", ".join(sorted(str(toxic["name"]) for toxic in found.toxics)):
        return f"has the toxics {names} already: end that fault first"
    return ""


def _with_proxy(place: Place) -> tuple[FaultedServer, str]:
    server = place.server
    if server is None or server.proxy_url is None:
        name = "the machine" if server is None else server.service
        raise FaultRefusedError(
            f"no proxy stands before {name}: this fault is made in the proxy between workers and "
            "a server, which a run starts for each server with a network fault"
        )
    return server, server.proxy_url
