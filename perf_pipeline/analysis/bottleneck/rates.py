"""Computes what the rules of the bottleneck look at from the monitor's samples of a steady phase.

``metrics/resources/counters.py`` says which samples a rate rests on.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.bottleneck.use import LevelUse, ServerUse
from perf_pipeline.host.target_processes import CPU as TARGET_CPU
from perf_pipeline.metrics.resources.counters import rate_of, rates_by_process
from perf_pipeline.metrics.resources.resource_samples import MEGABYTE, everyone, mean, of_server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample
    from perf_pipeline.metrics.types.cpu_use import HostCores
    from perf_pipeline.metrics.types.records import InFlight

MIN_WAIT_SAMPLES = 10
"""With fewer, one thread moves a share by more than a tenth."""

UNKNOWN_MAX = 0.1
"""If the target does not know what more workflows than this share are doing, the shares of the
others are not known either."""

MIN_COUNTED_S = 10.0
"""A session of PostgreSQL adds its time to the server's counter once a second, or later: in less
than ten seconds more than a tenth of it may be missing. (16 sessions that executed all the time
came out as 6 in 3 s.) The number of active sessions is the better figure then."""


def level_use(
    samples: Sequence[Sample],
    in_flight: InFlight,
    *,
    mean_in_flight: float,
    at_once: int | None,
    workers: int,
    limits: Mapping[str, int],
    host: HostCores | None,
    others_cores: float | None,
    cpu_limit_cores: float | None,
    slots: int | None = None,
    thinks: bool = False,
    sends_requests: bool = False,
) -> LevelUse:
    """Return everything that the rules of the bottleneck use.

    Args:
        samples: The monitor's lines of the steady phase.
        in_flight: The level's, with the shares of what threads did.
        mean_in_flight: Time-weighted mean over the phase.
        at_once: As ``LevelUse.at_once``.
        workers: Worker processes of the level.
        limits: Server to the maximum of connections that the pools of all workers allow.
        host: The machine's cores over the phase.
        others_cores: As ``LevelUse.others_cores``.
        cpu_limit_cores: As ``LevelUse.cpu_limit_cores``.
        slots: As ``LevelUse.slots``.
        thinks: As ``LevelUse.thinks``.
        sends_requests: As ``LevelUse.sends_requests``.
    """
    cores = rates_by_process(samples, "workers", "cpu_s")
    of_disk = [rate_of(samples, role, "io_delay_s") for role in ("workers", "servers")]
    known_of_disk = [threads for threads in of_disk if threads is not None]
    return LevelUse(
        wanted=in_flight.wanted,
        slots=slots,
        in_flight=mean_in_flight,
        waits=_waits(in_flight),
        wait_samples=in_flight.wait_samples,
        at_once=at_once,
        workers=workers,
        worker_cores=tuple(cores.values()) if cores and len(cores) == workers else None,
        waiting_for_core=_waiting_for_core(samples),
        waiting_for_disk=sum(known_of_disk) if known_of_disk else None,
        worker_io_mb_per_s=_io_mb_per_s(samples, "workers"),
        harness_cores=rate_of(samples, "harness", "cpu_s"),
        host=None if host is None else _usable_part(host, samples),
        others_cores=others_cores,
        servers=tuple(_server(samples, name, limit) for name, limit in limits.items()),
        cpu_limit_cores=cpu_limit_cores,
        children_cores=_children_cores(samples),
        thinks=thinks,
        sends_requests=sends_requests,
    )


def _waiting_for_core(samples: Sequence[Sample]) -> float | None:
    """Return the threads of the target that waited for a core."""
    workers = rate_of(samples, "workers", "run_delay_s")
    children = rate_of(samples, "children", "run_delay_s")
    return None if workers is None else workers + (children or 0.0)


def _children_cores(samples: Sequence[Sample]) -> float | None:
    """Return the cores of what the workers have started, ended processes included."""
    both, own = (rate_of(samples, "workers", counter) for counter in (TARGET_CPU, "cpu_s"))
    return None if both is None or own is None else max(0.0, both - own)


def _waits(in_flight: InFlight) -> Mapping[str, float] | None:
    known = in_flight.waits.get("unknown", 0.0) <= UNKNOWN_MAX
    return in_flight.waits if known and in_flight.wait_samples >= MIN_WAIT_SAMPLES else None


def _io_mb_per_s(
    samples: Sequence[Sample], role: str, keep: Callable[[Sample], bool] = everyone
) -> float | None:
    read, written = (rate_of(samples, role, what, keep) for what in ("read_bytes", "write_bytes"))
    return None if read is None or written is None else (read + written) / MEGABYTE


def _usable_part(host: HostCores, samples: Sequence[Sample]) -> HostCores:
    """Return the cores that the run may use, where those are not all of the machine's.

    Which of them others used is then not known: what the run's processes leave counts as idle.
    """
    if not host.is_shared_out:
        return host
    counters = (("workers", TARGET_CPU), ("harness", "cpu_s"), ("servers", "cpu_s"))
    own = sum(rate_of(samples, role, counter) or 0.0 for role, counter in counters)
    return replace(host, busy=own, iowait=0.0, idle=max(host.usable - own, 0.0))


def _server(samples: Sequence[Sample], name: str, limit: int) -> ServerUse:
    own = of_server(name)
    cores = rates_by_process(samples, "servers", "cpu_s", own)
    connections = [use for s in samples if (use := s["connections"].get(name)) is not None]
    active = _mean(connections, "active")
    executing = _query_time(samples, name, 0.0 if active is None else MIN_COUNTED_S)
    return ServerUse(
        name=name,
        cores=sum(cores.values()) if cores else None,
        busiest_cores=max(cores.values()) if cores else None,
        io_mb_per_s=_io_mb_per_s(samples, "servers", own),
        connections=_mean(connections, "total"),
        limit=limit,
        active=active,
        waiting=_mean(connections, "waiting"),
        executing=active if executing is None else executing,
        executing_by="active sessions" if executing is None else "query time",
    )


def _mean(connections: list[Sample], what: str) -> float | None:
    return mean([use[what] for use in connections if use.get(what) is not None])


def _query_time(samples: Sequence[Sample], server: str, least_s: float) -> float | None:
    """Return seconds spent in queries a second: the mean number of sessions that executed.

    None when the server counted it for less than ``least_s``.
    """
    counted = [
        (s["at_ns"], counters["query_time_s"])
        for s in samples
        if (counters := (s.get("counters") or {}).get(server))
        and counters.get("query_time_s") is not None
    ]
    if len(counted) < 2:  # noqa: PLR2004 a rate needs two
        return None
    (first_ns, first_s), (last_ns, last_s) = counted[0], counted[-1]
    elapsed_s = (last_ns - first_ns) / 1e9
    sessions: float = (last_s - first_s) / elapsed_s
    return sessions if elapsed_s >= least_s else None
