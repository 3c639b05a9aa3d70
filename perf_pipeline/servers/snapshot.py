"""The counters and connections of a server at one moment of a load level."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ConnectionCounts:
    """The connections of a run's workers at one moment; None where the server does not report it.

    Attributes:
        total: All connections that were counted; None where this user may not count them.
        active: Those that execute something, or wait for a lock to do so.
        idle: The others, in a transaction or not.
        waiting: Those that wait for a lock; in Redis, those blocked in a blocking command.
        how: What was counted, since not every server knows the name of the program behind a
            connection.
    """

    total: int | None
    active: int | None
    idle: int | None
    waiting: int | None
    how: str


@dataclass(frozen=True)
class Counters:
    """Totals of a server since its start, for all clients; None where it does not count them.

    The probe's own questions are included: one to six queries, and up to some ten kilobytes each
    time.

    Attributes:
        sent_bytes: To its clients.
        recv_bytes: From its clients.
        queries: As ``source`` defines them.
        query_time_s: Time that it spent in them, summed over sessions.
        storage_read_bytes: What it read from its files, from the system's cache or the disk.
        source: Where ``queries`` and ``query_time_s`` come from, in the server's own names.
    """

    sent_bytes: int | None
    recv_bytes: int | None
    queries: int | None
    query_time_s: float | None
    storage_read_bytes: int | None
    source: str


@dataclass(frozen=True)
class ServerSnapshot:
    """One answer of a server to its probe.

    Attributes:
        connections: Of the run.
        counters: Of the server.
        unavailable: Name of each value of the two that is None to the reason.
        sessions: Connections of all programs, those of the probe left out; None where it does not
            report them.
        memory_bytes: What it has taken for its data and clients; None where it does not report it.
    """

    connections: ConnectionCounts
    counters: Counters
    unavailable: dict[str, str] = field(default_factory=dict)
    sessions: int | None = None
    memory_bytes: int | None = None
