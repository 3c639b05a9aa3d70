"""From the monitor's samples of a steady phase to rates and means.

Rates rest on the growth of counters between each two samples; a value that a sample lacks makes
a gap, never a zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.bottleneck.use import HostUse, LevelUse, ServerUse
from perf_pipeline.metrics.resources.resource_samples import growth_per_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perf_pipeline.metrics.types.records import InFlight

Sample = dict[str, Any]

MIN_WAIT_SAMPLES = 10
"""With fewer, one thread moves a share by more than a tenth."""

UNKNOWN_MAX = 0.1
"""With more workflows of which the target cannot tell what they do, the shares of the others are
not known either."""

MIN_COUNTED_S = 10.0
"""A session of PostgreSQL adds its time to the server's counter once a second, or later: in less
than ten seconds more than a tenth of it may be missing. (16 sessions that executed all the time
came out as 6 in 3 s.) Sessions seen active are the better figure then."""

_MEGABYTE = 1e6


def level_use(
    samples: Sequence[Sample],
    in_flight: InFlight,
    *,
    mean_in_flight: float,
    at_once: int | None,
    workers: int,
    limits: Mapping[str, int],
    cpu_limit_cores: float | None,
    slots: int | None = None,
) -> LevelUse:
    """Gather what the rules look at.

    Args:
        samples: The monitor's lines of the steady phase.
        in_flight: The level's, with what threads were seen doing.
        mean_in_flight: Time-weighted mean over the phase.
        at_once: As ``LevelUse.at_once``.
        workers: Worker processes of the level.
        limits: Server to the most connections that the pools of all workers allow.
        cpu_limit_cores: As ``LevelUse.cpu_limit_cores``.
        slots: As ``LevelUse.slots``.
    """
    cores = growth_per_s(samples, "workers", "cpu_s")
    of_disk = [growth_per_s(samples, role, "io_delay_s") for role in ("workers", "servers")]
    known_of_disk = [sum(each.values()) for each in of_disk if each is not None]
    return LevelUse(
        wanted=in_flight.wanted,
        slots=slots,
        in_flight=mean_in_flight,
        waits=_waits(in_flight),
        wait_samples=in_flight.wait_samples,
        at_once=at_once,
        workers=workers,
        worker_cores=tuple(cores.values()) if cores and len(cores) == workers else None,
        waiting_for_core=_sum(growth_per_s(samples, "workers", "run_delay_s")),
        waiting_for_disk=sum(known_of_disk) if known_of_disk else None,
        worker_io_mb_per_s=_io_mb_per_s(samples, "workers"),
        harness_cores=_sum(growth_per_s(samples, "harness", "cpu_s")),
        host=_host(samples),
        servers=tuple(_server(samples, name, limit) for name, limit in limits.items()),
        cpu_limit_cores=cpu_limit_cores,
    )


def _waits(in_flight: InFlight) -> Mapping[str, float] | None:
    known = in_flight.waits.get("unknown", 0.0) <= UNKNOWN_MAX
    return in_flight.waits if known and in_flight.wait_samples >= MIN_WAIT_SAMPLES else None


def _sum(rates: dict[int, float] | None) -> float | None:
    return None if rates is None else sum(rates.values())


def _io_mb_per_s(
    samples: Sequence[Sample], role: str, keep: Callable[[Sample], bool] = lambda _process: True
) -> float | None:
    parts: list[float | None] = [
        _sum(growth_per_s(samples, role, what, keep)) for what in ("read_bytes", "write_bytes")
    ]
    known = [part for part in parts if part is not None]
    return sum(known) / _MEGABYTE if len(known) == len(parts) else None


def _host(samples: Sequence[Sample]) -> HostUse | None:
    """Return the machine's use; where only some of its cores may be used, only of those.

    Which cores others used is then not known: what the run's processes leave of the usable cores
    counts as idle.
    """
    if len(samples) < 2:  # noqa: PLR2004 a rate needs two
        return None
    first, last = samples[0].get("host") or {}, samples[-1].get("host") or {}
    elapsed_s = (samples[-1]["at_ns"] - samples[0]["at_ns"]) / 1e9
    states = ("busy_s", "iowait_s", "steal_s", "idle_s")
    usable = last.get("cores_usable")
    if usable is None or any(at.get(state) is None for at in (first, last) for state in states):
        return None
    busy, iowait, steal, idle = ((last[name] - first[name]) / elapsed_s for name in states)
    if usable > busy + iowait + steal + idle - 0.5:
        return HostUse(busy + iowait + steal + idle, idle, iowait, steal)
    roles = ("workers", "harness", "servers")
    ours = sum(_sum(growth_per_s(samples, role, "cpu_s")) or 0.0 for role in roles)
    return HostUse(usable, max(usable - ours, 0.0), 0.0, steal)


def _server(samples: Sequence[Sample], name: str, limit: int) -> ServerUse:
    def own(process: Sample) -> bool:
        return bool(process.get("service") == name)

    cores = growth_per_s(samples, "servers", "cpu_s", own)
    told = [use for s in samples if isinstance(use := s["connections"].get(name), dict)]
    active = _mean(told, "active")
    executing = _query_time(samples, name, 0.0 if active is None else MIN_COUNTED_S)
    return ServerUse(
        name=name,
        cores=_sum(cores),
        busiest_cores=max(cores.values()) if cores else None,
        io_mb_per_s=_io_mb_per_s(samples, "servers", own),
        connections=_mean(told, "total"),
        limit=limit,
        active=active,
        waiting=_mean(told, "waiting"),
        executing=active if executing is None else executing,
        executing_by="active sessions" if executing is None else "query time",
    )


def _mean(told: list[Sample], what: str) -> float | None:
    values: list[float] = [use[what] for use in told if use.get(what) is not None]
    return sum(values) / len(values) if values else None


def _query_time(samples: Sequence[Sample], server: str, least_s: float) -> float | None:
    """Return seconds spent in queries a second: the mean number of sessions that executed.

    None when the server told it for less than ``least_s``.
    """
    told = [
        (s["at_ns"], counters["query_time_s"])
        for s in samples
        if (counters := (s.get("counters") or {}).get(server))
        and counters.get("query_time_s") is not None
    ]
    if len(told) < 2:  # noqa: PLR2004 a rate needs two
        return None
    (first_ns, first_s), (last_ns, last_s) = told[0], told[-1]
    elapsed_s = (last_ns - first_ns) / 1e9
    sessions: float = (last_s - first_s) / elapsed_s
    return sessions if elapsed_s >= least_s else None
