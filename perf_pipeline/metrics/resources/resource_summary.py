"""Sums the resource monitor's samples up over a level's steady phase."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from perf_pipeline.host.target_processes import CPU as TARGET_CPU
from perf_pipeline.metrics.resources.counters import rate_of, steps, total_of
from perf_pipeline.metrics.resources.ended_children import ended_children_of
from perf_pipeline.metrics.resources.host_cores import cpu_of_others, host_cores
from perf_pipeline.metrics.resources.loaded_server import LOADED_SERVER
from perf_pipeline.metrics.resources.network.traffic_summary import network_of, traffic_of
from perf_pipeline.metrics.resources.resource_samples import (
    MEGABYTE,
    NOT_COUNTED,
    TOO_MANY_CHILDREN,
    everyone,
    mean,
    of_child,
    of_server,
    processes,
    summed,
    target_bytes,
)
from perf_pipeline.metrics.resources.server_counters import counters_of
from perf_pipeline.metrics.types.resource_use import (
    CHILD,
    Gap,
    MonitorCost,
    ResourcePoint,
    Resources,
    RoleUse,
)
from perf_pipeline.metrics.types.server_use import InterfaceTotal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample

ROLES = ("workers", "harness", "servers")
MAX_CHILDREN = 10
"""Names of processes that the workers have started, the largest in memory first."""


def resources_of(
    steady: Sequence[Sample],
    level: Sequence[Sample] = (),
    *,
    go_ns: int = 0,
    servers_used: Sequence[str] = (),
    cpu_limit_cores: float | None = None,
) -> Resources:
    """Sum up what workers, harness, servers and the machine did.

    Args:
        steady: The monitor's lines of the steady phase.
        level: The monitor's lines of the whole level, for drawing.
        go_ns: CLOCK_MONOTONIC of the start of the level's load.
        servers_used: Services that the run uses, whether their processes are its own or not.
        cpu_limit_cores: Limit of the run's control group; None without one.
    """
    host = host_cores(steady)
    services = sorted({name for sample in steady for name in _servers_of(sample)})
    uses = {role: role_use(steady, role) for role in ROLES}
    by_server = [_of_server(steady, name) for name in services]
    workers = uses["workers"]
    asked = [name for name in services if name != LOADED_SERVER]
    traffic = traffic_of(steady, asked)
    network = network_of(traffic)
    return Resources(
        workers_pss_peak_mb=_peak_mb(steady),
        workers_cpu_mean_percent=_percent(rate_of(steady, "workers", TARGET_CPU)),
        workers_cpu_peak_percent=_percent(
            max((step.per_s for step in steps(steady, "workers", TARGET_CPU)), default=None)
        ),
        disk_read_mb=workers.read_mb,
        disk_write_mb=workers.write_mb,
        samples=len(steady),
        failed_probes=sum(
            not probe.startswith(NOT_COUNTED) for sample in steady for probe in sample["problems"]
        ),
        roles=(*uses.values(), *_children(steady), *by_server),
        host=host,
        others=cpu_of_others(steady, host, (*servers_used, *_loaded_of(steady)), cpu_limit_cores),
        server_counters=counters_of(steady, asked),
        traffic=traffic,
        ended_children=ended_children_of(steady),
        interfaces=_interfaces(steady),
        network_sent_mb=network.sent_mb,
        network_recv_mb=network.recv_mb,
        network_at_least=network.at_least,
        network_why_not=network.why_not,
        monitor=_cost(steady),
        gaps=_gaps(steady),
        series=_series(level, go_ns),
    )


def role_use(
    samples: Sequence[Sample],
    role: str,
    *,
    name: str = "",
    keep: Callable[[Sample], bool] = everyone,
) -> RoleUse:
    """Sum up one role, or those of its processes that ``keep`` keeps."""
    pss = summed(samples, role, "pss_bytes", keep)
    cores = list(steps(samples, role, "cpu_s", keep))
    counts = [len(processes(sample, role, keep)) for sample in samples]

    def peak_mb(what: str) -> float | None:
        return _mb(max(summed(samples, role, what, keep), default=None))

    def peak(what: str) -> int | None:
        maximum = max(summed(samples, role, what, keep), default=None)
        return None if maximum is None else int(maximum)

    return RoleUse(
        role=name or role,
        processes_peak=max(counts, default=0) or None,
        pss_peak_mb=_mb(max(pss, default=None)),
        pss_mean_mb=_mb(mean(pss)),
        uss_peak_mb=peak_mb("uss_bytes"),
        rss_peak_mb=peak_mb("rss_bytes"),
        cores_mean=rate_of(samples, role, "cpu_s", keep),
        cores_peak=max((step.per_s for step in cores), default=None),
        threads_peak=peak("threads"),
        descriptors_peak=peak("descriptors"),
        read_mb=_mb(total_of(samples, role, "read_bytes", keep)),
        write_mb=_mb(total_of(samples, role, "write_bytes", keep)),
        run_delay=rate_of(samples, role, "run_delay_s", keep),
        io_delay=rate_of(samples, role, "io_delay_s", keep),
    )


def _peak_mb(samples: Sequence[Sample]) -> float | None:
    """Return the peak memory of the target; None if a sample without it may have been the peak."""
    if any(TOO_MANY_CHILDREN in sample["problems"].values() for sample in samples):
        return None
    return _mb(max(target_bytes(samples, "pss_bytes"), default=None))


def _children(samples: Sequence[Sample]) -> tuple[RoleUse, ...]:
    """Sum up what the workers have started, by name; the largest memory first."""
    names = {process["name"] for sample in samples for process in sample.get("children", ())}
    uses = [
        role_use(samples, "children", name=f"{CHILD}{name}", keep=of_child(name)) for name in names
    ]
    return tuple(sorted(uses, key=lambda use: (-(use.pss_peak_mb or 0.0), use.role))[:MAX_CHILDREN])


def _of_server(samples: Sequence[Sample], name: str) -> RoleUse:
    return role_use(samples, "servers", name=name, keep=of_server(name))


def _servers_of(sample: Sample) -> set[str]:
    running = {process["service"] for process in sample["servers"] if "service" in process}
    asked = {probe.split()[1] for probe in sample["problems"] if probe.startswith("counters ")}
    return running | asked | set(sample.get("counters") or {})


def _loaded_of(samples: Sequence[Sample]) -> tuple[str, ...]:
    """Return the name of the server that requests go to, if it is on the machine of the samples."""
    lacking = f"{NOT_COUNTED}servers {LOADED_SERVER}"
    found = any(
        lacking in sample["problems"]
        or any(process.get("service") == LOADED_SERVER for process in sample["servers"])
        for sample in samples
    )
    return (LOADED_SERVER,) if found else ()


def _percent(cores: float | None) -> float | None:
    return None if cores is None else 100.0 * cores


def _mb(size_bytes: float | None) -> float | None:
    return None if size_bytes is None else size_bytes / MEGABYTE


def _interfaces(samples: Sequence[Sample]) -> tuple[InterfaceTotal, ...]:
    """Return what went over each interface that is there all the time; silent ones are left out."""
    read = [network for s in samples if (network := (s.get("host") or {}).get("network"))]
    if len(read) < 2:  # noqa: PLR2004 growth needs two
        return ()
    totals = []
    for name in sorted(set(read[0]) & set(read[-1])):
        sent, received = (
            (read[-1][name][way] - read[0][name][way]) / MEGABYTE
            for way in ("sent_bytes", "recv_bytes")
        )
        if sent or received:
            totals.append(InterfaceTotal(name, sent, received))
    return tuple(totals)


def _cost(samples: Sequence[Sample]) -> MonitorCost | None:
    read = [sample for sample in samples if "took_ms" in sample and "cpu_ms" in sample]
    if not read:
        return None
    took = [sample["took_ms"] for sample in read]
    cpu = [sample["cpu_ms"] for sample in read]
    elapsed_ms = (read[-1]["at_ns"] - read[0]["at_ns"]) / 1e6
    return MonitorCost(
        took_mean_ms=sum(took) / len(took),
        took_max_ms=max(took),
        core_percent=100 * sum(cpu[:-1]) / elapsed_ms if elapsed_ms > 0 else None,
    )


def _gaps(samples: Sequence[Sample]) -> tuple[Gap, ...]:
    counted: Counter[tuple[str, str, bool]] = Counter()
    for sample in samples:
        counted.update(
            {
                (
                    _without_ids(probe.removeprefix(NOT_COUNTED)),
                    reason,
                    not probe.startswith(NOT_COUNTED),
                )
                for probe, reason in sample["problems"].items()
            }
        )
    return tuple(
        Gap(what, reason, found, failed)
        for (what, reason, failed), found in sorted(counted.items())
    )


def _without_ids(probe: str) -> str:
    return " ".join(word for word in probe.split() if not word.isdecimal())


def _series(samples: Sequence[Sample], go_ns: int) -> tuple[ResourcePoint, ...]:
    cores = {
        role: {step.at_ns: step.per_s for step in steps(samples, role, counter)}
        for role, counter in zip(ROLES, (TARGET_CPU, "cpu_s", "cpu_s"), strict=True)
    }
    points = []
    for sample in samples:
        used = [cores[role].get(sample["at_ns"]) for role in ROLES]
        memory = [
            _mb(found[0])
            if (
                found := target_bytes([sample], "pss_bytes")
                if role == "workers"
                else summed([sample], role, "pss_bytes")
            )
            else None
            for role in ROLES
        ]
        points.append(ResourcePoint((sample["at_ns"] - go_ns) / 1e9, *used, *memory))
    return tuple(points)
