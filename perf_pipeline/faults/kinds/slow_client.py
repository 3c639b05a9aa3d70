"""Other clients ask for much and read slowly, so that the server has to wait for them."""

from __future__ import annotations

import ipaddress
import socket
from functools import partial
from typing import TYPE_CHECKING

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import number, server_of
from perf_pipeline.faults.fault import FaultRefusedError, NotPossibleHereError, Sign
from perf_pipeline.faults.slow_reads import mongodb, mysql, postgres, redis
from perf_pipeline.faults.slow_reads.reader import SlowReader
from perf_pipeline.faults.slow_reads.send_queues import send_queues
from perf_pipeline.servers.service import find_service

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, State
    from perf_pipeline.faults.slow_reads.slow_client import SlowClient

_KIND = "slow_client"
_WAITING_BYTES = 16_384
"""More than the last answer of a login, which waits until the kernel acknowledges it."""

_OPENERS: dict[str, Callable[[str], SlowClient]] = {
    "postgres": postgres.open_client,
    "mysql": mysql.open_client,
    "redis": redis.open_client,
    "mongodb": mongodb.open_client,
}


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure in a place."""
    return SlowClients(
        place,
        count=int(number(_KIND, settings, "clients")),
        rate_bytes_per_s=1000 * number(_KIND, settings, "read_kb_per_s"),
    )


class SlowClients:
    """Keeps clients whose answers wait in the server; see ``Fault``.

    It dies with its process. A server that ends a slow client (MySQL after ``net_write_timeout``)
    gets another. The clients are there before the window, and ask nothing until it begins.
    """

    def __init__(self, place: Place, count: int, rate_bytes_per_s: float) -> None:
        """Prepare; nothing is opened.

        Args:
            place: Where.
            count: How many clients.
            rate_bytes_per_s: What each reads.
        """
        server = server_of(place)
        self._place, self._server, self._count = place, server, count
        open_one = partial(_OPENERS[server.service], server.url)
        self._reader = SlowReader(open_one, count, rate_bytes_per_s, self._ended)
        self._port = 0
        self._has_begun = False

    def preflight(self) -> None:
        """See whether the server's end of a connection is on this machine; open the clients."""
        addresses = find_service(self._server.service).tcp_addresses(self._server.url)
        if not addresses or not all(_is_loopback(host) for host, _ in addresses):
            raise FaultRefusedError(
                "whether the server waits for a slow client is seen in its send queue, in the "
                "kernel of its machine: its URL must be on loopback"
            )
        self._port = addresses[0][1]
        try:
            send_queues(self._port, ())
        except OSError as error:
            raise NotPossibleHereError(
                f"this kernel does not say what waits in send queues (sock_diag: {error}), and "
                "only there a server that waits for a slow client is seen"
            ) from error
        self._reader.open()

    def state(self) -> State:
        """Return how many clients the server has, without those that have asked nothing yet."""
        waiting = 0 if self._has_begun else self._reader.count
        return {"connections of slow clients": str(len(self._queues()) - waiting)}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: clients end with this process."""
        return {}

    def inject(self) -> None:
        """Have the clients ask, and wait until the server has more for them than they take."""
        self._has_begun = True
        self._reader.start()
        wait_until_it_acts(self, self._place)

    def sign(self) -> Sign:
        """Ask the kernel for which clients answers wait in the server's send queue."""
        queues = [queue or 0 for queue in self._queues().values()]
        queues = [queue for queue in queues if queue >= _WAITING_BYTES]
        waiting = len(queues)
        text = f"answers for {waiting} of {self._count} slow clients wait, {sum(queues)} bytes"
        return Sign(in_effect=waiting >= self._count, value=float(waiting), text=text)

    def undo(self) -> None:
        """End the clients."""
        self._reader.stop()

    def _queues(self) -> dict[int, int | None]:
        return send_queues(self._port, self._reader.ports)

    def _ended(self, ports: set[int]) -> set[int]:
        queues = send_queues(self._port, ports)
        return {port for port in ports if queues.get(port) is None}


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(socket.gethostbyname(host)).is_loopback
    except OSError:
        return False
