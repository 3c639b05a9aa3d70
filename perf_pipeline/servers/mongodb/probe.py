"""The probe of MongoDB or its stand-in: operations by name, and counters of serverStatus."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pymongo.errors import OperationFailure

from perf_pipeline.servers.mongodb.ferretdb import is_ferretdb, open_connections
from perf_pipeline.servers.mongodb.session import (
    HIDDEN,
    OWN_CONNECTIONS,
    UNAUTHORIZED,
    is_stand_in,
    session,
)
from perf_pipeline.servers.probe import PROBE_S, ProbeSession
from perf_pipeline.servers.snapshot import ConnectionCounts, Counters, ServerSnapshot

if TYPE_CHECKING:
    from pymongo import MongoClient

_LEFT_OUT = ("metrics", "locks", "repl", "tcmalloc", "flowControl", "sharding")
"""Long parts of serverStatus in which nothing is looked for."""

_OF_THE_STATUS = ("sent_bytes", "recv_bytes", "queries", "query_time_s", "storage_read_bytes")
_OF_A_CONNECTION = ("active", "idle", "waiting")


class MongodbProbe:
    """Asks a MongoDB; see ``Probe``.

    Among the connections are those by which each worker's driver watches the server. FerretDB and
    the stand-in know neither the program behind a connection nor its state: there all but ours are
    counted, those to FerretDB by the kernel.
    """

    def __init__(self, url: str, app_name: str) -> None:
        """Prepare; nothing is opened.

        Args:
            url: The server. What its user may not see (serverStatus: clusterMonitor) is a gap.
            app_name: What workers give as ``appName``.
        """
        self._url = url
        self._name = app_name
        self._session = ProbeSession(partial(session, url, PROBE_S))

    def ask(self) -> ServerSnapshot:
        """Ask, in one command or two; see ``Probe``."""
        return self._session.ask(self._snapshot)

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _snapshot(self, client: MongoClient[dict[str, Any]]) -> ServerSnapshot:
        missing = "not in its serverStatus"
        try:
            status = client.admin.command({"serverStatus": 1, **dict.fromkeys(_LEFT_OUT, 0)})
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
            status, missing = {}, HIDDEN
        counted = _counters(status)
        unavailable = {name: missing for name in _OF_THE_STATUS if getattr(counted, name) is None}
        current = status.get("connections", {}).get("current")
        sessions = None if current is None else int(current) - OWN_CONNECTIONS
        memory_mb = status.get("mem", {}).get("resident")
        memory_bytes = None if memory_mb is None else int(memory_mb) << 20
        if is_ferretdb(status):
            sessions = open_connections(self._url) - OWN_CONNECTIONS
            how = "connections of all programs, by the kernel (FerretDB does not know their names)"
            unknown = dict.fromkeys(_OF_A_CONNECTION, "FerretDB does not report it")
            connections = ConnectionCounts(sessions, None, None, None, how)
            unavailable |= unknown
        elif is_stand_in(status):
            how = "connections of all programs (the stand-in does not know their names)"
            unknown = dict.fromkeys(_OF_A_CONNECTION, "the stand-in does not report it")
            connections = ConnectionCounts(sessions, None, None, None, how)
            unavailable |= unknown
        else:
            connections = self._connections(client)
        return ServerSnapshot(connections, counted, unavailable, sessions, memory_bytes)

    def _connections(self, client: MongoClient[dict[str, Any]]) -> ConnectionCounts:
        stages: list[dict[str, Any]] = [
            {"$currentOp": {"allUsers": True, "idleConnections": True}},
            {"$match": {"appName": self._name}},
            {"$project": {"active": 1, "waitingForLock": 1}},
        ]
        try:
            listed = list(client.admin.aggregate(stages))
        except OperationFailure as error:
            if error.code != UNAUTHORIZED:
                raise
            # Everybody may see the operations of one's own user, who is the workers' as well.
            stages[0]["$currentOp"]["allUsers"] = False
            listed = list(client.admin.aggregate(stages))
        active = sum(one.get("active") is True for one in listed)
        waiting = sum(one.get("waitingForLock") is True for one in listed)
        how = f"connections of programs named {self._name}, the drivers' own among them"
        return ConnectionCounts(len(listed), active, len(listed) - active, waiting, how)


def _counters(status: dict[str, Any]) -> Counters:
    network, latencies = status.get("network", {}), status.get("opLatencies", {})
    operations = {name: each for name, each in latencies.items() if "latency" in each}
    cache = status.get("wiredTiger", {}).get("cache", {})
    return Counters(
        sent_bytes=network.get("bytesOut"),
        recv_bytes=network.get("bytesIn"),
        queries=sum(int(each["ops"]) for each in operations.values()) if operations else None,
        query_time_s=sum(int(each["latency"]) for each in operations.values()) / 1e6
        if operations
        else None,
        storage_read_bytes=cache.get("bytes read into cache"),
        source="operations of opLatencies" if operations else "",
    )
