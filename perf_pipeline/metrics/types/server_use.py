"""Connections, traffic and counters of the servers in a steady phase."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ServerCounters:
    """What a server did in the steady phase, for all of its clients, by its own counters.

    The queries of the resource monitor, one to six a sample, are included. A counter that the
    server does not have is None, which ``unavailable`` explains.

    Attributes:
        server: The service.
        sent_mb: Sent to clients, 1 MB = 1e6 bytes.
        recv_mb: Received from clients.
        sent_mb_per_s: Likewise.
        recv_mb_per_s: Likewise.
        queries_per_s: Queries a second, as ``source`` counts them.
        query_time_mean_s: Time in queries / queries.
        storage_read_mb: Read from its files, from the system's cache or the disk.
        source: Where queries and their time come from, by the server's names.
        shared: Others may have used the server as well.
        unavailable: Name of a counter to the reason why it is None.
    """

    server: str
    sent_mb: float | None
    recv_mb: float | None
    sent_mb_per_s: float | None
    recv_mb_per_s: float | None
    queries_per_s: float | None
    query_time_mean_s: float | None
    storage_read_mb: float | None
    source: str
    shared: bool
    unavailable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ServerTraffic:
    """What went between the target and a server in the steady phase, by the kernel's count.

    The target is the workers and what they have started. Bytes are payload of TCP: with the
    server's protocol and TLS, without headers and repetitions.

    Attributes:
        server: The service.
        sent_mb: Sent by the target, 1 MB = 1e6 bytes; None if not known.
        recv_mb: Received by the target, likewise.
        seconds: Time between the first and the last sample, in which that was.
        connections: Connections of the target that were open at some time of it.
        ended: Of these, those that ended.
        at_least: Why the bytes are a lower bound; empty if they are not.
        why_not: Why they are None; empty if they are not.
    """

    server: str
    sent_mb: float | None = None
    recv_mb: float | None = None
    seconds: float | None = None
    connections: int | None = None
    ended: int | None = None
    at_least: str = ""
    why_not: str = ""


@dataclass(frozen=True)
class InterfaceTotal:
    """Traffic of all programs over a network interface in the steady phase.

    Attributes:
        name: ``lo`` carries each byte between programs of this machine once as sent and once as
            received.
        sent_mb: 1 MB = 1e6 bytes.
        recv_mb: Likewise.
    """

    name: str
    sent_mb: float
    recv_mb: float


@dataclass(frozen=True)
class ConnectionUse:
    """Connections of the workers to one server during a level.

    Means are over the samples of the steady phase, peaks over the whole level. A value that the
    server does not count, or that could not be read, is None.

    Attributes:
        server: The service.
        limit: Maximum that the pools allow, all workers together.
        peak: Maximum that the server reported.
        mean: Mean number of connections.
        pool: What bounds it, as text.
        failed_probes: Samples of the level in which it did not answer.
        active_mean: Mean number that executed a query or waited for a lock.
        idle_mean: Mean number of the others.
        waiting_mean: Mean number that waited for a lock.
        utilisation_percent: Peak / limit.
        how: What was counted.
    """

    server: str
    limit: int
    peak: int | None
    mean: float | None
    pool: str
    failed_probes: int
    active_mean: float | None = None
    idle_mean: float | None = None
    waiting_mean: float | None = None
    utilisation_percent: float | None = None
    how: str = ""


@dataclass(frozen=True)
class PoolRecovery:
    """An exhausted connection pool, and the same load before and after it on the same servers.

    Times are compared with those of the load before, for every level begins with a ramp.

    Attributes:
        exhausted: Level in which connections were exhausted.
        before: The same load before it; ``after`` likewise.
        after: The same load after it.
        pools: Server to peak and limit of its pool in the exhausted level; only those exhausted.
        time_s: How much later than ``before`` the level ``after`` was back to normal; None where
            it never was, or ``before`` has no normal.
        low_s: Lower end of the interval that the seconds of the series allow.
        high_s: Upper end.
        watched_s: For how long the level after was watched.
        floor_per_s: Throughput from which on it counts as normal.
    """

    exhausted: str
    before: str
    after: str
    pools: dict[str, tuple[int, int]]
    time_s: float | None
    low_s: float | None
    high_s: float | None
    watched_s: float
    floor_per_s: float
