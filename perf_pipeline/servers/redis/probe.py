"""The probe of Redis or Valkey: clients of a run by name, and the counters of INFO."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoPermissionError

from perf_pipeline.servers.probe import PROBE_S, ProbeSession
from perf_pipeline.servers.redis.session import session
from perf_pipeline.servers.snapshot import ConnectionCounts, Counters, ServerSnapshot

if TYPE_CHECKING:
    from redis import Redis

_ONE_AT_A_TIME = "it executes one command at a time, and does not report whose"
_IN_MEMORY = "its data are in memory"
_OF_STATS = ("sent_bytes", "recv_bytes", "queries")


class RedisProbe:
    """Asks a Redis; see ``Probe``."""

    def __init__(self, url: str, client_name: str | None = None) -> None:
        """Prepare; nothing is opened.

        Args:
            url: The server.
            client_name: Only connections that gave this name are counted; None counts all but
                the probe's own, other programs' too.
        """
        self._name = client_name
        self._session = ProbeSession(partial(session, url, PROBE_S))

    def ask(self) -> ServerSnapshot:
        """Ask, in one round trip; see ``Probe``."""
        return self._session.ask(self._snapshot)

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _snapshot(self, client: Redis) -> ServerSnapshot:
        with client.pipeline(transaction=False) as asked:
            asked.client_id()
            asked.client_list()
            asked.info("stats")
            asked.info("commandstats")
            asked.info("memory")
            own, listed, stats, commands, memory = asked.execute(raise_on_error=False)
        for answer in (own, listed, stats, commands, memory):
            if isinstance(answer, Exception) and not isinstance(answer, NoPermissionError):
                raise answer
        unavailable = {"storage_read_bytes": _IN_MEMORY}
        connections = self._connections(own, listed, unavailable)
        if hidden := _hidden("INFO", stats):
            unavailable |= dict.fromkeys(_OF_STATS, hidden)
            stats = {}
        if hidden := _hidden("INFO", commands):
            unavailable["query_time_s"] = hidden
        query_time_s = None if hidden else sum(one["usec"] for one in commands.values()) / 1e6
        counted = Counters(
            sent_bytes=stats.get("total_net_output_bytes"),
            recv_bytes=stats.get("total_net_input_bytes"),
            queries=stats.get("total_commands_processed"),
            query_time_s=query_time_s,
            storage_read_bytes=None,
            source="total_commands_processed and usec of INFO commandstats",
        )
        return ServerSnapshot(
            connections,
            counted,
            unavailable,
            sessions=None if _hidden("CLIENT LIST", listed) else len(listed) - 1,
            memory_bytes=None if _hidden("INFO", memory) else memory.get("used_memory"),
        )

    def _connections(
        self, own: object, listed: Any, unavailable: dict[str, str]
    ) -> ConnectionCounts:
        unavailable |= dict.fromkeys(("active", "idle"), _ONE_AT_A_TIME)
        if hidden := _hidden("CLIENT ID", own) or _hidden("CLIENT LIST", listed):
            unavailable |= dict.fromkeys(("total", "waiting"), hidden)
            return ConnectionCounts(None, None, None, None, hidden)
        others: list[dict[str, Any]] = [one for one in listed if one["id"] != str(own)]
        ours = [one for one in others if self._name is None or one["name"] == self._name]
        named = "all clients" if self._name is None else f"clients named {self._name}"
        blocked = sum("b" in one["flags"] for one in ours)
        return ConnectionCounts(len(ours), None, None, blocked, f"{named} in CLIENT LIST")


def _hidden(command: str, answer: object) -> str:
    """Return why a command gave nothing; empty if it did."""
    return f"the URL's user may not use {command}" if isinstance(answer, Exception) else ""
