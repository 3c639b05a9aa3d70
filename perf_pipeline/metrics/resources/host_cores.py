"""What the cores of the machine did during some samples, and who used them.

The kernel counts the states of all cores since boot and never resets them, so the first and the
last sample that have these counters suffice; samples between them may lack them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.host.target_processes import CPU as TARGET_CPU
from perf_pipeline.metrics.resources.counters import rate_of
from perf_pipeline.metrics.resources.resource_samples import MEGABYTE, of_server
from perf_pipeline.metrics.types.cpu_use import CpuOfOthers, HostCores, QuotaUse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample

_WHOLE_CORE = 0.5


def host_cores(samples: Sequence[Sample]) -> HostCores | None:
    """Return the mean state of the machine's cores; None unless two samples have its counters."""
    read = [sample for sample in samples if sample.get("host")]
    if not read or read[-1]["at_ns"] <= read[0]["at_ns"]:
        return None
    first, last = read[0]["host"], read[-1]["host"]
    seconds = (read[-1]["at_ns"] - read[0]["at_ns"]) / 1e9
    states = ("busy_s", "iowait_s", "steal_s", "idle_s")
    busy, iowait, steal, idle = ((last[name] - first[name]) / seconds for name in states)
    quotas = [*quota_uses(read)]
    available = [at for s in read if (at := s["host"].get("memory_available_bytes")) is not None]
    return HostCores(
        usable=min([last["cores_usable"], *(quota.cores for quota in quotas)]),
        busy=busy,
        iowait=iowait,
        steal=steal,
        idle=idle,
        seconds=seconds,
        memory_available_mb=min(available) / MEGABYTE if available else None,
        quota=max(quotas, key=lambda one: one.throttled_percent or 0.0, default=None),
    )


def quota_uses(read: Sequence[Sample]) -> Iterator[QuotaUse]:
    """Yield how each CPU quota was enforced between the first and the last sample, tightest first.

    Args:
        read: Samples with the machine's counters; at least one.
    """
    first, last = read[0], read[-1]
    seconds = (last["at_ns"] - first["at_ns"]) / 1e9
    before = {one["source"]: one for one in first["host"].get("cpu_quotas", ())}
    for now in last["host"].get("cpu_quotas", ()):
        then = before.get(now["source"])
        percent = cores = None
        if then is not None and now["periods"] is not None and then["periods"] is not None:
            periods = now["periods"] - then["periods"]
            percent = 100 * (now["throttled"] - then["throttled"]) / periods if periods else 0.0
            cores = (now["throttled_s"] - then["throttled_s"]) / seconds
        yield QuotaUse(now["cores"], now["source"], percent, cores)


def cpu_of_others(
    samples: Sequence[Sample],
    host: HostCores | None,
    servers: Sequence[str] = (),
    cpu_limit_cores: float | None = None,
) -> CpuOfOthers:
    """Return what processes outside of the run used: the busy cores without the run's own.

    Args:
        samples: The monitor's lines that ``host`` was computed from.
        host: The machine's cores.
        servers: Services that the run uses; one whose processes are not known looks like others.
        cpu_limit_cores: Limit of the run's control group; None without one.
    """
    if host is None:
        return CpuOfOthers(None, None, "the machine's counters were not read")
    if host.is_shared_out:
        why = f"the run may use {host.usable:g} of {host.cores:.0f} cores, others the rest as well"
        return CpuOfOthers(None, None, why)
    if cpu_limit_cores is not None and cpu_limit_cores < host.cores - _WHOLE_CORE:
        why = f"the run may use {cpu_limit_cores:g} of {host.cores:.0f} cores"
        return CpuOfOthers(None, None, why)
    own = [rate_of(samples, "workers", TARGET_CPU), rate_of(samples, "harness", "cpu_s")]
    for server in servers:
        own.append(rate_of(samples, "servers", "cpu_s", of_server(server)))
        if own[-1] is None:
            why = f"{server} is no process of this run: its cores look like those of others"
            return CpuOfOthers(None, None, why)
    known = [cores for cores in own if cores is not None]
    if len(known) < len(own):
        return CpuOfOthers(None, None, "what the run's own processes used was not read")
    return CpuOfOthers(max(0.0, host.busy - sum(known)), sum(known), "")
