"""What a server tells of itself while load runs, and what asks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

PROBE_S = 2.0
"""An answer that takes longer is a gap; libpq's time to connect cannot be bounded below it."""


@dataclass(frozen=True)
class Connections:
    """The connections of a run's workers at one moment; None where the server does not tell.

    Attributes:
        total: All that were counted.
        active: Those that execute something, or wait for a lock to do so.
        idle: The others, in a transaction or not.
        waiting: Those that wait for a lock, or in Redis for what a blocking command waits for.
        how: What was counted, since not every server knows the name of the program behind a
            connection.
    """

    total: int
    active: int | None
    idle: int | None
    waiting: int | None
    how: str


@dataclass(frozen=True)
class Counters:
    """What a server has done since its start, for everybody; None where it does not tell.

    The questions themselves are among it: one to six queries, and up to some ten kilobytes each
    time.

    Attributes:
        sent_bytes: To its clients.
        recv_bytes: From its clients.
        queries: What ``source`` says that they are.
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
    """One answer.

    Attributes:
        connections: Of the run.
        counters: Of the server.
        not_told: Name of each value that is None to the reason.
    """

    connections: Connections
    counters: Counters
    unavailable: dict[str, str] = field(default_factory=dict)


class Probe(Protocol):
    """Asks one server, over a session that is kept from question to question."""

    def ask(self) -> ServerSnapshot:
        """Ask; each answer of the server is waited for ``PROBE_S`` at most.

        Raises:
            NotAnsweringError: It did not answer, or not well.
        """

    def close(self) -> None:
        """End the session; the next question begins another."""


@dataclass(frozen=True)
class WatchedServer:
    """A server that is watched while load runs.

    Attributes:
        pids: Its main process, if we started it.
        shared: Others may be using it as well, so that its counters are not the run's alone.
        probe: What asks it.
    """

    pids: tuple[int, ...]
    shared: bool
    probe: Probe
