"""A server cannot be reached: connections are refused, or reset, or nothing comes back.

Three failures to a client, which takes another path for each (reference/faults.md, section 2). They
are made in the proxy before the server. A fourth is made by the Docker engine: the server's
container is taken off its networks.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING

from perf_pipeline.faults.containers import container_partition
from perf_pipeline.faults.containers.container_fault import ENTRY_CONTAINER
from perf_pipeline.faults.containers.container_partition import ContainerPartition
from perf_pipeline.faults.fault import Sign
from perf_pipeline.faults.network import toxic_fault
from perf_pipeline.faults.network.proxied_server import DIRECT_S
from perf_pipeline.faults.network.toxic_fault import PlannedToxic, ToxicFault, unclear_sign
from perf_pipeline.faults.proxy.client import ProxyClient, ProxyControlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State

BOTH = ("upstream", "downstream")
FOREVER_MS = 24 * 3600 * 1000
SILENT_S = 0.06
"""No answer for so much longer than past the proxy is silence."""

_CONNECTED_S = 0.2


class SilentPartition(ToxicFault):
    """Nothing arrives while it lasts, and everything afterwards: TCP would send it again.

    Toxiproxy's ``timeout`` would drop it and close the connections at the end; a latency longer
    than any failure keeps it. New connections are accepted (the proxy's kernel does that), and
    hear nothing.
    """

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is opened."""
        attributes = {"latency": FOREVER_MS, "jitter": 0}
        toxics = [PlannedToxic("latency", stream, attributes) for stream in BOTH]
        super().__init__(place, "network_partition", toxics)

    def sign(self) -> Sign:
        """See that the server answers, but not through the proxy."""
        trips = self.server.trips(SILENT_S)
        direct, through = trips.direct, trips.through
        if through is None:
            return unclear_sign(direct)
        for trip in (trips.earlier, through):
            if trip is not None and (trip.is_answered or trip.error):
                what = trip.error or f"it answers in {1e3 * trip.took_s:.1f} ms"
                return Sign(in_effect=False, value=0.0, text=f"through the proxy: {what}")
        return Sign(
            in_effect=through.took_s >= SILENT_S,
            value=1e3 * through.took_s,
            text=f"no answer through the proxy for {through.took_s:.2f} s; past it in "
            f"{1e3 * direct.took_s:.1f} ms",
        )


class ResetPartition(ToxicFault):
    """Every connection, open or new, is reset as soon as something is sent over it."""

    looks = 1  # no slow path resets connections
    _error = errno.ECONNRESET

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is opened."""
        toxics = [PlannedToxic("reset_peer", stream, {"timeout": 0}) for stream in BOTH]
        super().__init__(place, "network_partition", toxics)

    def preflight(self) -> None:
        """Find the proxy; both sessions end, as one of them would be lost by the failure."""
        super().preflight()
        self.server.close()

    def sign(self) -> Sign:
        """See that the server answers, and what a new connection through the proxy gets."""
        self.server.direct.begin()
        found = self._found()
        direct = self.server.direct.wait(DIRECT_S)
        if not direct.is_answered:
            return unclear_sign(direct)
        what = errno.errorcode.get(found, "no error")
        return Sign(
            in_effect=found == self._error,
            value=float(found == self._error),
            text=f"a new connection through the proxy: {what}",
        )

    def _found(self) -> int:
        return _error_of_connection(self.server.probe_address)


class RefusingPartition(ResetPartition):
    """Connections are closed, and new ones are refused."""

    _error = errno.ECONNREFUSED

    def state(self) -> State:
        """Return whether the proxy accepts connections."""
        return {"enabled": str(self.server.state().enabled)}

    def undo_entry(self) -> Mapping[str, SettingValue]:
        """Return which proxy is to accept connections again."""
        return {
            "control_url": self.server.client.control_url,
            "proxy": self.server.proxy,
            "listen": self.server.found.listen,
            "upstream": self.server.found.upstream,
        }

    def inject(self) -> None:
        """Have the proxy refuse."""
        self.server.client.disable(self.server.proxy)

    def undo(self) -> None:
        """Have the proxy accept again."""
        if self._server is not None:
            undo_left_behind(self.undo_entry())
            self._server.close()

    def _found(self) -> int:
        found = super()._found()
        if found != self._error:
            return found
        # A refused connection has no bytes, which would be counted as the workers'.
        return _error_of_connection(self.server.address)


def undo_left_behind(entry: Mapping[str, SettingValue]) -> None:
    """Undo what an ``undo_entry`` describes; a proxy that is gone refuses nobody.

    Raises:
        ProxyControlError: The proxy is there, and does not undo it.
    """
    if ENTRY_CONTAINER in entry:
        container_partition.undo_left_behind(entry)
        return
    if "toxics" in entry:
        toxic_fault.undo_left_behind(entry)
        return
    client, name = ProxyClient(str(entry["control_url"])), str(entry["proxy"])
    try:
        found = client.proxies().get(name)
        # Another run may have the port by now: its proxy has other addresses.
        if found and (found.listen, found.upstream) == (entry["listen"], entry["upstream"]):
            client.enable(name)
    except ProxyControlError as error:
        if not error.is_gone:
            raise


def _error_of_connection(address: tuple[str, int]) -> int:
    """Return the number of the error of a connection over which a byte is sent; 0 without one."""
    try:
        with socket.create_connection(address, _CONNECTED_S) as connected:
            connected.sendall(b"\0")
            # A server that speaks first may have done so before the reset.
            while connected.recv(4096):
                continue
            return 0
    except TimeoutError:
        return 0
    except OSError as error:
        return error.errno or 0


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure of the way that the settings name."""
    ways: dict[SettingValue, type[SilentPartition | ResetPartition | ContainerPartition]] = {
        "silent": SilentPartition,
        "reset": ResetPartition,
        "refuse": RefusingPartition,
        "disconnect": ContainerPartition,
    }
    return ways[settings["way"]](place)
