"""Causes that are seen by what workflows wait for: servers, pools, the runtime's queue, a disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.bottleneck.cores import busy_cores
from perf_pipeline.metrics.bottleneck.evidence import (
    BUSY,
    HALF,
    Evidence,
    Suspect,
    need,
    percent,
    said,
    suspect,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.bottleneck.use import LevelUse, ServerUse

DISK_RATIO = 0.25
LEAST_IO_MB_PER_S = 1.0
_ONE_THREAD = ("redis",)
"""Servers that execute every command in one thread."""


def suspects_of_waits(use: LevelUse) -> Iterator[Suspect]:
    """Yield servers, disks, the connection pool and the runtime's queue."""
    for server in use.servers:
        yield from _server(use, server)
    yield from _disk(use)
    yield from _gates(use)


def _server(use: LevelUse, server: ServerUse) -> Iterator[Suspect]:
    name, own, near = server.name, use.share(server.name), _near(use, server)
    inside = None if own is None else own * use.in_flight
    _near_need = need(f"workflows waiting for {name} or its pool", near, "%", least=100 * HALF)
    single = name in _ONE_THREAD
    cores = server.busiest_cores if single else server.cores
    yield suspect(
        "server_cpu",
        "server",
        f"{name}: its CPU",
        f"{name} used {said(cores)} cores"
        + (", and executes commands in one thread." if single else " while no core was free."),
        _near_need,
        need(
            f"cores used by {name}",
            cores,
            "cores",
            least=BUSY if single else use.part_of_cores(HALF),
        ),
        *([] if single else [busy_cores(use)]),
    )
    if not single:
        yield suspect(
            "server_locks",
            "server",
            f"{name}: its locks",
            f"{said(server.waiting)} sessions of {name} waited for a lock that another session "
            "held.",
            _near_need,
            need(
                f"sessions of {name} waiting for a lock / workflows seen waiting for it",
                percent(server.waiting, inside),
                "%",
                least=100 * HALF,
            ),
        )
    yield suspect(
        "server_slow",
        "server",
        f"{name}: the time of its queries",
        f"Workflows waited for {name}, which says by {server.executing_by} that "
        f"{said(server.executing)} sessions executed at once; its processes used "
        f"{said(server.cores)} cores.",
        need(f"workflows waiting for {name}", percent(own), "%", least=100 * HALF),
        need(
            f"sessions of {name} executing ({server.executing_by}) / workflows waiting for it",
            percent(server.executing, inside),
            "%",
            least=100 * HALF,
        ),
    )


def _disk(use: LevelUse) -> Iterator[Suspect]:
    cause = "disk: threads wait for it"
    if use.waiting_for_disk is not None:
        yield suspect(
            "disk",
            "disk",
            cause,
            f"{said(use.waiting_for_disk)} threads of workers and servers waited for a disk.",
            need(
                "threads waiting for a disk / workflows in flight",
                percent(use.waiting_for_disk, use.in_flight),
                "%",
                least=100 * HALF,
            ),
        )
    users = [("the workers", use.worker_io_mb_per_s, percent(use.share("runtime")))]
    users += [(s.name, s.io_mb_per_s, _near(use, s)) for s in use.servers]
    for name, io, share in users:
        at = "in the runtime" if name == "the workers" else f"waiting for {name} or its pool"
        yield suspect(
            "disk",
            "disk",
            f"disk: {name}",
            f"Cores had nothing to do because a disk had not answered, and {name} read and wrote "
            f"{said(io)} MB/s.",
            need(
                "cores without work because of a disk",
                use.host and use.host.iowait,
                "cores",
                least=use.part_of_cores(DISK_RATIO),
            ),
            need(
                "share of that in all cores without work",
                use.host and percent(use.host.disk_ratio),
                "%",
                least=100 * HALF,
            ),
            need(f"read and written by {name}", io, "MB/s", least=LEAST_IO_MB_PER_S),
            need(f"workflows {at}", share, "%", least=100 * HALF),
        )


def _gates(use: LevelUse) -> Iterator[Suspect]:
    """What lets only so many workflows through at once, whatever lies behind."""
    server = use.at_limit()
    name = server.name if server else "the servers"
    limit = server.limit if server else None
    yield suspect(
        "connection_pool",
        "connection_pool",
        "connection pool",
        f"Workflows waited for one of the {limit} connections to {name}, which itself had cores "
        "to spare.",
        need(
            "workflows waiting for a pool's connection",
            percent(use.share("pool")),
            "%",
            least=100 * HALF,
        ),
        need(
            f"connections to {name}",
            server and server.connections,
            "connections",
            least=None if limit is None else BUSY * limit,
        ),
        need(f"cores used by {name}", server and server.cores, "cores", most=use.part_of_cores(HALF)),
    )
    if use.at_once is None:
        return
    queued, busiest = use.share("queued"), max(use.worker_cores) if use.worker_cores else None
    yield suspect(
        "runtime_queue",
        "runtime_queue",
        "queue of the runtime",
        f"The runtime executes at most {use.at_once} workflows at once; the others were queued "
        "inside it, while no worker was busy for a whole core.",
        need("workflows queued in the runtime", percent(queued), "%", least=100 * HALF),
        need(
            "workflows being executed",
            None if queued is None else (1 - queued) * use.in_flight,
            "workflows",
            least=BUSY * use.at_once,
        ),
        need("cores used by the busiest worker", busiest, "cores", most=BUSY),
    )


def _near(use: LevelUse, server: ServerUse) -> float | None:
    """Percent of the workflows that wait for a server, or for a connection of its full pool."""
    behind = use.at_limit()
    full = behind is server and (server.pool_use or 0.0) >= BUSY
    return percent(use.share(server.name, *(("pool",) if full else ())))


