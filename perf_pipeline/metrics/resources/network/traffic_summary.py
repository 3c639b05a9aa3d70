"""Sums up, over the steady phase, what went between the target and each server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from perf_pipeline.metrics.resources.resource_samples import MEGABYTE, NOT_COUNTED
from perf_pipeline.metrics.types.server_use import ServerTraffic

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample

TRAFFIC = "traffic"
"""Begins the name of a probe, before the server."""

NO_SERVER = "there was no server"
_TOO_FEW = "fewer than two samples of the steady phase have it"


class Network(NamedTuple):
    """What went between the target and all servers, MB; None, with the reason, if unknown.

    Attributes:
        sent_mb: By the target.
        recv_mb: By the target.
        at_least: Why the two are lower bounds; empty if they are not.
        why_not: Why they are None.
    """

    sent_mb: float | None
    recv_mb: float | None
    at_least: str
    why_not: str


def traffic_of(samples: Sequence[Sample], servers: Sequence[str]) -> tuple[ServerTraffic, ...]:
    """Return what went between the target and each server from the first to the last sample.

    Args:
        samples: The monitor's lines of the steady phase.
        servers: The services.
    """
    return tuple(_traffic_with(samples, server) for server in servers)


def network_of(traffic: Sequence[ServerTraffic]) -> Network:
    """Add the servers up."""
    unknown = [f"{one.server}: {one.why_not}" for one in traffic if one.why_not]
    if not traffic or unknown:
        return Network(None, None, "", "; ".join(unknown) or NO_SERVER)
    doubts = [f"{one.server}: {one.at_least}" for one in traffic if one.at_least]
    return Network(
        sum(one.sent_mb or 0.0 for one in traffic),
        sum(one.recv_mb or 0.0 for one in traffic),
        "; ".join(doubts),
        "",
    )


def _traffic_with(samples: Sequence[Sample], server: str) -> ServerTraffic:
    read = [sample for sample in samples if server in (sample.get(TRAFFIC) or {})]
    if len(read) < 2:  # noqa: PLR2004 growth needs two
        return ServerTraffic(server, why_not=_reason(samples, server))
    first, last = read[0][TRAFFIC][server], read[-1][TRAFFIC][server]
    if not last["begun"] and (counted := _connections(samples, server)):
        return ServerTraffic(
            server,
            why_not=f"the server counts up to {counted} connections of the run, none of which goes "
            "to an address that its URL names",
        )

    def grown(name: str) -> int:
        return int(last[name] - first[name])

    seconds = (read[-1]["at_ns"] - read[0]["at_ns"]) / 1e9
    return ServerTraffic(
        server,
        sent_mb=grown("sent_bytes") / MEGABYTE,
        recv_mb=grown("recv_bytes") / MEGABYTE,
        seconds=seconds,
        connections=last["begun"] - first["ended"],
        ended=grown("ended"),
        at_least=_doubts(last, grown("ended_unread"), grown("unattributed"), grown("lost_reports")),
    )


def _doubts(last: dict[str, Any], unread: int, unattributed: int, lost: int) -> str:
    """Return why the bytes are a lower bound; empty if they are not."""
    doubts = []
    if last["ends_unknown"]:
        doubts.append(
            "connections that began and ended between two samples are not counted, as the kernel "
            f"does not report ends ({last['ends_unknown']})"
        )
    if lost:
        doubts.append("so many connections ended at once that the kernel lost reports of some")
    if unread:
        doubts.append(f"the last bytes of {unread} connections that ended are not known")
    if unattributed:
        doubts.append(
            f"{unattributed} connections ended before it was seen whether the target or another "
            "program had them, and are left out"
        )
    return "; ".join(doubts)


def _reason(samples: Sequence[Sample], server: str) -> str:
    for sample in reversed(samples):
        for probe in (f"{NOT_COUNTED}{TRAFFIC} {server}", f"{TRAFFIC} {server}"):
            if probe in sample["problems"]:
                return str(sample["problems"][probe])
    return _TOO_FEW


def _connections(samples: Sequence[Sample], server: str) -> int:
    """Return the maximum number of connections of the run that a server has counted."""
    found = [sample["connections"].get(server) or {} for sample in samples]
    return max((one.get("total") or 0 for one in found), default=0)
