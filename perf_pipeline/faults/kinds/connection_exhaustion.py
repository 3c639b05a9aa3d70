"""Other clients hold every connection that the server accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.arguments import server_of
from perf_pipeline.faults.connections.file_descriptors import allow_connections
from perf_pipeline.faults.connections.keeper import Keeper
from perf_pipeline.faults.connections.mongodb import MongodbConnections
from perf_pipeline.faults.connections.mysql import MysqlConnections
from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.faults.connections.postgres import PostgresConnections
from perf_pipeline.faults.connections.redis import RedisConnections
from perf_pipeline.faults.fault import Sign
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.connections.opened import Connections
    from perf_pipeline.faults.fault import Fault, Place, State

_FULL_S = 5.0
_SPARE, _SPARE_SHARE = 10, 0.05
"""Connections that are left to others until the window begins: so many, or of all if more."""

_CONNECTIONS: dict[str, Callable[[str], Connections]] = {
    "postgres": PostgresConnections,
    "mysql": MysqlConnections,
    "redis": RedisConnections,
    "mongodb": MongodbConnections,
}


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:  # noqa: ARG001 - it has none
    """Return the failure in a place."""
    server = server_of(place)
    return ConnectionExhaustion(_CONNECTIONS[server.service](server.url))


class ConnectionExhaustion:
    """Opens connections until the server refuses, and takes each that becomes free; see ``Fault``.

    Clients keep the connections that they have; those that open one are refused. It dies with its
    process. All but a few are taken before the window, as hundreds would take seconds of it.
    """

    def __init__(self, connections: Connections) -> None:
        """Prepare; nothing is opened."""
        self._connections = connections
        self._keeper: Keeper | None = None
        self._prepared = 0
        self._has_begun = False

    def preflight(self) -> None:
        """See whether the server has a limit that can be reached, and take all but the last."""
        limit = self._connections.limit()
        allow_connections(limit)
        used = self._connections.total()
        spare = max(_SPARE, int(_SPARE_SHARE * limit))
        self._keeper = Keeper(self._connections.open, self._connections.OPENERS)
        self._prepared = self._keeper.prepare(max(0, limit - used - spare))

    def state(self) -> State:
        """Return how many connections of ours the server has, without those that were prepared."""
        prepared = 0 if self._has_begun else self._prepared
        return {"connections of the fault": str(self._connections.ours() - prepared)}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: connections end with this process."""
        return {}

    def inject(self) -> None:
        """Take all connections; the last ones perhaps after the return."""
        assert self._keeper is not None
        self._has_begun = True
        self._keeper.start(_FULL_S)

    def sign(self) -> Sign:
        """Open a connection as a client does, and see whether it is refused.

        Others alone may exhaust a server: that is no failure of ours.
        """
        held = self._keeper.connections if self._keeper is not None else 0
        refusal = ""
        try:
            close = self._connections.open()
        except LimitReachedError as error:
            refusal = str(error)
        except NotAnsweringError as error:
            return Sign(in_effect=False, value=0.0, text=f"the server did not answer: {error}")
        else:
            close()
        try:
            total = self._connections.total()
        except NotAnsweringError:
            total = 0
        said = f"a new one is refused ({refusal})" if refusal else "a new one is accepted"
        text = f"{total} connections, {held} of them of the fault; {said}"
        return Sign(in_effect=bool(refusal) and held > 0, value=float(total), text=text)

    def undo(self) -> None:
        """Close all of them."""
        if self._keeper is not None:
            self._keeper.stop()
        self._keeper, self._prepared = None, 0
        self._connections.stop_watching()
