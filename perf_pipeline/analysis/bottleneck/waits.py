"""Causes by what workflows wait for: servers, pools, the runtime's queue, a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.bottleneck.cores import busy_cores
from perf_pipeline.analysis.bottleneck.evidence import (
    BUSY,
    HALF,
    Suspect,
    amount,
    need,
    percent,
    suspect,
)
from perf_pipeline.config.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.analysis.bottleneck.use import LevelUse, ServerUse
    from perf_pipeline.metrics.types.bottleneck import Evidence

DISK_RATIO = 0.25
"""Cores that a disk leaves without work, as a share of those that it could: no more than there are
workflows. The kernel counts one only while nothing else runs on it, so it is far below the share
of threads that wait: five threads that do nothing but fsync, on two cores, gave 0.3."""

MIN_IO_MB_PER_S = 1.0
"""The journals of the workers alone are below it (a block of 64 kB, twice a second)."""

_POOL = "connection pool"


def suspects_of_waits(use: LevelUse) -> Iterator[Suspect]:
    """Yield servers, disks, the connection pool and the runtime's queue."""
    for server in use.servers:
        yield from _server(use, server)
    yield from _disk(use)
    yield from _gates(use)


def _server(use: LevelUse, server: ServerUse) -> Iterator[Suspect]:
    name, own = server.name, use.share(server.name)
    # Such a server knows no locks either.
    if name in SERVICES and SERVICES[name].is_single_threaded:
        yield suspect(
            "server_cpu",
            "server",
            f"{name}: its CPU",
            f"{name} used {amount(server.busiest_cores)} of a core, and executes its commands in "
            "one thread.",
            _near(use, server),
            need(f"cores used by {name}", server.busiest_cores, "cores", minimum=BUSY),
        )
    else:
        yield from _many_threads(use, server)
    yield suspect(
        "server_slow",
        "server",
        f"{name}: the time of its queries",
        f"Workflows waited for {name}, where {amount(server.executing)} sessions executed at once "
        f"(by {server.executing_by}); its processes used {amount(server.cores)} cores.",
        need(f"workflows waiting for {name}", percent(own), "%", minimum=100 * HALF),
        need(
            f"sessions of {name} executing ({server.executing_by}) / workflows waiting for it",
            percent(server.executing, None if own is None else own * use.in_flight),
            "%",
            minimum=100 * HALF,
        ),
        _time_left(use),
    )


def _many_threads(use: LevelUse, server: ServerUse) -> Iterator[Suspect]:
    """Yield what can be wrong with a server that executes many statements at once."""
    name = server.name
    yield suspect(
        "server_cpu",
        "server",
        f"{name}: its CPU",
        f"{name} used {amount(server.cores)} of {amount(use.usable_cores)} cores, "
        "and none was free.",
        _near(use, server),
        need(f"cores used by {name}", server.cores, "cores", minimum=use.part_of_cores(HALF)),
        busy_cores(use),
    )
    yield suspect(
        "server_locks",
        "server",
        f"{name}: its locks",
        f"{amount(server.waiting)} of {amount(server.active)} active sessions of {name} waited for "
        "a lock that another session held.",
        _near(use, server),
        need(
            f"sessions of {name} waiting for a lock / active ones",
            percent(server.lock_ratio),
            "%",
            minimum=100 * HALF,
        ),
        _time_left(use),
    )


def _disk(use: LevelUse) -> Iterator[Suspect]:
    if use.waiting_for_disk is not None:
        yield suspect(
            "disk",
            "disk",
            "disk: threads wait for it",
            f"{amount(use.waiting_for_disk)} threads of workers and servers waited for a disk.",
            need(
                "threads waiting for a disk / workflows in flight",
                percent(use.waiting_for_disk, use.in_flight),
                "%",
                minimum=100 * HALF,
            ),
        )
    running = percent(use.share_of_executing("runtime"))
    own = need("workflows in the runtime", running, "%", minimum=100 * HALF)
    yield _iowait(use, "the workers", use.worker_io_mb_per_s, own)
    for server in use.servers:
        yield _iowait(use, server.name, server.io_mb_per_s, _near(use, server))


def _iowait(use: LevelUse, who: str, io_mb_per_s: float | None, time: Evidence) -> Suspect:
    iowait = minimum = ratio = None
    if use.host is not None:
        iowait = use.host.iowait
        minimum = DISK_RATIO * min(use.host.usable, use.in_flight)
        ratio = percent(iowait, min(use.host.idle + iowait, use.in_flight))
    return suspect(
        "disk",
        "disk",
        f"disk: {who}",
        f"{amount(iowait)} of {amount(use.usable_cores)} cores had nothing to do because a disk "
        f"had not answered, while {who} read and wrote {amount(io_mb_per_s)} MB/s.",
        need("cores without work because of a disk", iowait, "cores", minimum=minimum),
        need("their share of the cores without work", ratio, "%", minimum=100 * HALF),
        need(f"read and written by {who}", io_mb_per_s, "MB/s", minimum=MIN_IO_MB_PER_S),
        time,
    )


def _gates(use: LevelUse) -> Iterator[Suspect]:
    """Yield what lets only so many workflows through at once, whatever lies behind."""
    server = use.at_limit()
    yield _pool(use, server) if server else _pool_unknown(use)
    if use.at_once is None:
        return
    queued = use.share("queued")
    executing = None if queued is None else (1 - queued) * use.in_flight
    yield suspect(
        "runtime_queue",
        "runtime_queue",
        "queue of the runtime",
        f"The runtime executed {amount(executing)} workflows at once, of {use.at_once} at most; "
        "the others were queued inside it, while no worker was busy for a whole core.",
        need("workflows queued in the runtime", percent(queued), "%", minimum=100 * HALF),
        need("workflows being executed", executing, "workflows", minimum=BUSY * use.at_once),
        _time_left(use),
    )


def _pool(use: LevelUse, server: ServerUse) -> Suspect:
    name, limit = server.name, server.limit
    return suspect(
        "connection_pool",
        "connection_pool",
        _POOL,
        f"Workflows waited for one of the {limit} connections to {name}, which used no more than "
        f"{amount(server.cores)} of {amount(use.usable_cores)} cores.",
        _waiting_for_pool(use),
        need(
            f"connections to {name}",
            server.connections,
            "connections",
            minimum=None if limit is None else BUSY * limit,
        ),
        need(f"cores used by {name}", server.cores, "cores", maximum=use.part_of_cores(HALF)),
        _time_left(use),
    )


def _pool_unknown(use: LevelUse) -> Suspect:
    """Return the pool as a cause where no server reported its connections."""
    unknown = need("connections to the servers", None, "connections", minimum=None)
    return suspect("connection_pool", "connection_pool", _POOL, "", _waiting_for_pool(use), unknown)


def _waiting_for_pool(use: LevelUse) -> Evidence:
    waiting = percent(use.share_of_executing("pool"))
    return need("workflows waiting for a pool's connection", waiting, "%", minimum=100 * HALF)


def _near(use: LevelUse, server: ServerUse) -> Evidence:
    """At least half of the workflows wait for a server, or for a connection of its full pool."""
    full = use.at_limit() is server and (server.pool_use or 0.0) >= BUSY
    share = use.share_of_executing(server.name, *(("pool",) if full else ()))
    what = f"workflows waiting for {server.name}" + (" or its pool" if full else "")
    return need(what, percent(share), "%", minimum=100 * HALF)


def _time_left(use: LevelUse) -> Evidence:
    """No worker is used up: one that is gives no more workflows, however short they wait."""
    return need("cores used by the busiest worker", use.busiest_cores, "cores", maximum=BUSY)
