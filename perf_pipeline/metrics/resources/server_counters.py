"""Summarises what the servers counted: connections, bytes and queries."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.resources.resource_samples import (
    MEGABYTE,
    NOT_COUNTED,
    mean,
)
from perf_pipeline.metrics.types.server_use import ConnectionUse, ServerCounters

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample

_COUNTERS = ("sent_bytes", "recv_bytes", "queries", "query_time_s", "storage_read_bytes")
_BACKWARDS = "the counter went backwards: the server was restarted, or forgot"
_TOO_FEW = "fewer than two samples have it"


def connections_of(
    samples: Sequence[Sample],
    steady: Sequence[Sample],
    limits: Mapping[str, int],
    pools: Mapping[str, str],
) -> tuple[ConnectionUse, ...]:
    """Sum up the connections to each server.

    Args:
        samples: The monitor's lines of all of the level.
        steady: Those of the steady phase.
        limits: Server to the maximum of connections that the pools of all workers allow.
        pools: Server to what bounds it, as text.
    """
    uses = []
    for server, limit in limits.items():
        peak = max(_values(samples, server, "total"), default=None)
        how = [found["how"] for found in _connections(samples, server) if found.get("how")]
        uses.append(
            ConnectionUse(
                server=server,
                limit=limit,
                peak=None if peak is None else int(peak),
                mean=mean(_values(steady, server, "total")),
                pool=pools.get(server, ""),
                failed_probes=sum(f"connections {server}" in s["problems"] for s in samples),
                active_mean=mean(_values(steady, server, "active")),
                idle_mean=mean(_values(steady, server, "idle")),
                waiting_mean=mean(_values(steady, server, "waiting")),
                utilisation_percent=None if peak is None or not limit else 100 * peak / limit,
                how=how[-1] if how else "",
            )
        )
    return tuple(uses)


def counters_of(samples: Sequence[Sample], servers: Iterable[str]) -> tuple[ServerCounters, ...]:
    """Sum up what each server counted between its first and its last answer."""
    return tuple(_counted_by(samples, server) for server in servers)


def _counted_by(samples: Sequence[Sample], server: str) -> ServerCounters:
    grown: dict[str, tuple[float, float]] = {}
    unavailable: dict[str, str] = {}
    for name in _COUNTERS:
        values = [
            (sample["at_ns"], counters[name])
            for sample in samples
            if (counters := _counters(sample, server)).get(name) is not None
        ]
        if len(values) < 2:  # noqa: PLR2004 growth needs two
            unavailable[name] = _reason(samples, server, name)
        elif any(after[1] < before[1] for before, after in pairwise(values)):
            unavailable[name] = _BACKWARDS
        else:
            (first_ns, first), (last_ns, last) = values[0], values[-1]
            grown[name] = last - first, (last_ns - first_ns) / 1e9

    def of(name: str, unit: float = 1.0) -> float | None:
        return grown[name][0] / unit if name in grown else None

    def per_s(name: str, unit: float = 1.0) -> float | None:
        return grown[name][0] / unit / grown[name][1] if name in grown else None

    queries, time_s = of("queries"), of("query_time_s")
    known = [counters for sample in samples if (counters := _counters(sample, server))]
    return ServerCounters(
        server=server,
        sent_mb=of("sent_bytes", MEGABYTE),
        recv_mb=of("recv_bytes", MEGABYTE),
        sent_mb_per_s=per_s("sent_bytes", MEGABYTE),
        recv_mb_per_s=per_s("recv_bytes", MEGABYTE),
        queries_per_s=per_s("queries"),
        query_time_mean_s=time_s / queries if queries and time_s is not None else None,
        storage_read_mb=of("storage_read_bytes", MEGABYTE),
        source=known[-1].get("source", "") if known else "",
        shared=bool(known and known[-1].get("shared")),
        unavailable=unavailable,
    )


def _reason(samples: Sequence[Sample], server: str, name: str) -> str:
    """Return why a counter is not there: the last reason given, for it or for all of them."""
    for sample in reversed(samples):
        for probe in (f"{NOT_COUNTED}{server} {name}", f"counters {server}"):
            if probe in sample["problems"]:
                return str(sample["problems"][probe])
    return _TOO_FEW


def _counters(sample: Sample, server: str) -> dict[str, Any]:
    return (sample.get("counters") or {}).get(server) or {}


def _connections(samples: Sequence[Sample], server: str) -> list[dict[str, Any]]:
    """Return the connections of a server in every sample in which it answered."""
    return [found for s in samples if (found := s["connections"].get(server)) is not None]


def _values(samples: Sequence[Sample], server: str, what: str) -> list[float]:
    found = _connections(samples, server)
    return [value for one in found if (value := one.get(what)) is not None]
