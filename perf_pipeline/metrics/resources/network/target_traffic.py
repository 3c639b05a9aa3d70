"""Bytes that the target has sent to each server and received from it, since a level began.

Every TCP connection to an address of a server is followed from the sample that first shows it to
its end, whose final counts the kernel reports. Whose it is:

- a connection that a process of the target has open, or has had open, is the target's;
- one of this process and its helpers (their probes, and what injects failures) is not;
- any other is the target's if the server belongs to the run alone, and somebody else's otherwise.

What remains in doubt is counted beside the bytes, which are then a lower bound.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from perf_pipeline.metrics.resources.network.server_addresses import resolved
from perf_pipeline.metrics.resources.network.socket_owners import sockets_of
from perf_pipeline.metrics.resources.network.tcp_sockets import EndedConnections, connections_to
from perf_pipeline.metrics.resources.network.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from perf_pipeline.metrics.resources.network.tcp_sockets import TcpSocket
    from perf_pipeline.servers.probe import WatchedServer

NO_ADDRESS = "no TCP address of it is known, and bytes through a Unix socket are not counted"
MISSING_SAMPLES = 2
"""A connection that is gone for longer without a report of its end has lost it."""


class Ends(Protocol):
    """Reports connections that have ended; see ``EndedConnections``."""

    @property
    def losses(self) -> int:
        """How many times reports were lost."""

    @property
    def cpu_s(self) -> float:
        """CPU seconds that it took."""

    def take(self) -> list[TcpSocket]:
        """Return what has ended since the last call."""

    def close(self) -> None:
        """Stop."""


@dataclass
class _Connection:
    server: str
    sent_bytes: int
    recv_bytes: int
    missing: int = 0


@dataclass
class _Doubts:
    """Connections that no process of the target and of ours had, when they were first seen."""

    cookies: set[int] = field(default_factory=set)
    of_others: set[int] = field(default_factory=set)


class TargetTraffic:
    """Follows the target's connections to the servers of a level."""

    def __init__(
        self,
        servers: Mapping[str, WatchedServer],
        *,
        ours: Callable[[], Iterable[int]] = lambda: [os.getpid()],
        connections: Callable[[Sequence[int]], list[TcpSocket]] = connections_to,
        ends: Callable[[Sequence[int]], Ends] = EndedConnections,
        sockets: Callable[[Iterable[int]], set[int]] = sockets_of,
    ) -> None:
        """Listen to the ends of connections from now on.

        Args:
            servers: Service to what is watched of it.
            ours: Returns the processes that are alive whose connections are not the target's.
            connections: Returns the connections to some ports.
            ends: Reports those that end.
            sockets: Returns the inodes of the sockets of some processes.
        """
        self._ours = ours
        self._connections = connections
        self._sockets = sockets
        self._shared = {name: server.shared for name, server in servers.items()}
        self._unavailable: dict[str, str] = {}
        self._server_at: dict[tuple[bytes, int], str] = {}
        for name, server in servers.items():
            self._add_addresses(name, server.addresses)
        self._ports = sorted({port for _, port in self._server_at})
        self._totals = {name: Traffic() for name in self._server_at.values()}
        self._open: dict[int, _Connection] = {}
        self._doubts = _Doubts()
        self._ends: Ends | None = None
        try:
            self._ends = ends(self._ports) if self._ports else None
        except OSError as error:
            for traffic in self._totals.values():
                traffic.ends_unknown = _text(error)

    def close(self) -> None:
        """Stop listening."""
        if self._ends is not None:
            self._ends.close()

    @property
    def cpu_s(self) -> float:
        """CPU seconds spent beside the calls of ``read``."""
        return 0.0 if self._ends is None else self._ends.cpu_s

    def read(self, pids: Collection[int]) -> tuple[dict[str, Traffic], dict[str, str]]:
        """Return what went so far.

        Args:
            pids: The processes of the target that are alive.

        Returns:
            Server to its traffic, the bytes of open connections included; and server to the
            reason why there is none.
        """
        if not self._ports:
            return {}, dict(self._unavailable)
        try:
            self._look(pids)
        except OSError as error:
            return {}, self._unavailable | dict.fromkeys(self._totals, _text(error))
        return {name: self._so_far(name) for name in self._totals}, dict(self._unavailable)

    def _look(self, pids: Collection[int]) -> None:
        alive = {
            one.cookie: one
            for one in self._connections(self._ports)
            if (one.address, one.port) in self._server_at
        }
        self._attribute([one for cookie, one in alive.items() if not self._is_known(cookie)], pids)
        for cookie, connection in self._open.items():
            if (one := alive.get(cookie)) is None:
                connection.missing += 1
            else:
                connection.missing = 0
                connection.sent_bytes, connection.recv_bytes = one.sent_bytes, one.recv_bytes
        for one in () if self._ends is None else self._ends.take():
            self._end(one)
        lost = [cookie for cookie, one in self._open.items() if one.missing > MISSING_SAMPLES]
        for cookie in lost:
            self._totals[self._open[cookie].server].ended_unread += 1
            self._close(cookie)
        self._doubts.of_others &= alive.keys()
        self._doubts.cookies &= alive.keys()

    def _is_known(self, cookie: int) -> bool:
        return cookie in self._open or cookie in self._doubts.of_others

    def _attribute(self, new: list[TcpSocket], pids: Collection[int]) -> None:
        """Decide whose the connections are that have not been decided on."""
        if not new:
            return
        ours = self._sockets(self._ours())
        targets: set[int] | None = None
        for one in new:
            server = self._server_at[one.address, one.port]
            if one.inode in ours:
                self._doubts.of_others.add(one.cookie)
                continue
            if self._shared[server]:
                targets = self._sockets(pids) if targets is None else targets
                if one.inode not in targets:
                    self._doubt(one.cookie)
                    continue
            self._doubts.cookies.discard(one.cookie)
            self._open[one.cookie] = _Connection(server, one.sent_bytes, one.recv_bytes)
            self._totals[server].begun += 1

    def _doubt(self, cookie: int) -> None:
        """Note that nobody here has a connection: it may just have been closed.

        One that is still there the next time is somebody else's.
        """
        if cookie in self._doubts.cookies:
            self._doubts.cookies.remove(cookie)
            self._doubts.of_others.add(cookie)
        else:
            self._doubts.cookies.add(cookie)

    def _end(self, one: TcpSocket) -> None:
        server = self._server_at.get((one.address, one.port))
        if server is None or one.cookie in self._doubts.of_others:
            return
        if one.cookie not in self._open:
            if self._shared[server]:
                self._totals[server].unattributed += 1
                return
            self._open[one.cookie] = _Connection(server, 0, 0)
            self._totals[server].begun += 1
        connection = self._open[one.cookie]
        connection.sent_bytes, connection.recv_bytes = one.sent_bytes, one.recv_bytes
        self._close(one.cookie)

    def _close(self, cookie: int) -> None:
        connection = self._open.pop(cookie)
        traffic = self._totals[connection.server]
        traffic.ended += 1
        traffic.sent_bytes += connection.sent_bytes
        traffic.recv_bytes += connection.recv_bytes

    def _so_far(self, server: str) -> Traffic:
        ended = self._totals[server]
        mine = [one for one in self._open.values() if one.server == server]
        return Traffic(
            sent_bytes=ended.sent_bytes + sum(one.sent_bytes for one in mine),
            recv_bytes=ended.recv_bytes + sum(one.recv_bytes for one in mine),
            begun=ended.begun,
            ended=ended.ended,
            ended_unread=ended.ended_unread,
            unattributed=ended.unattributed,
            lost_reports=0 if self._ends is None else self._ends.losses,
            ends_unknown=ended.ends_unknown,
        )

    def _add_addresses(self, name: str, addresses: Iterable[tuple[str, int]]) -> None:
        """Add the addresses of a server, names of hosts resolved."""
        try:
            found = resolved(addresses)
        except OSError as error:
            self._unavailable[name] = f"its address is not known: {_text(error)}"
            return
        if not found:
            self._unavailable[name] = NO_ADDRESS
        self._server_at |= dict.fromkeys(found, name)


def _text(error: OSError) -> str:
    return error.strerror or str(error)
