"""What the cores of the machine did during some samples, and who used them.

The kernel counts the states of all cores since boot and never resets them, so the first and the
last sample that have these counters suffice; samples between them may lack them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.metrics.resources.counters import rate_of
from perf_pipeline.metrics.resources.resource_samples import MEGABYTE, of_server
from perf_pipeline.metrics.types.cpu_use import CpuOfOthers, HostCores

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    available = [at for s in read if (at := s["host"].get("memory_available_bytes")) is not None]
    return HostCores(
        usable=last["cores_usable"],
        busy=busy,
        iowait=iowait,
        steal=steal,
        idle=idle,
        seconds=seconds,
        memory_available_mb=min(available) / MEGABYTE if available else None,
    )


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
    if host.usable < host.cores - _WHOLE_CORE:
        why = f"the run may use {host.usable} of {host.cores:.0f} cores, others the rest as well"
        return CpuOfOthers(None, None, why)
    if cpu_limit_cores is not None and cpu_limit_cores < host.cores - _WHOLE_CORE:
        why = f"the run may use {cpu_limit_cores:g} of {host.cores:.0f} cores"
        return CpuOfOthers(None, None, why)
    own = [rate_of(samples, role, "cpu_s") for role in ("workers", "harness")]
    for server in servers:
        own.append(rate_of(samples, "servers", "cpu_s", of_server(server)))
        if own[-1] is None:
            why = f"{server} is no process of this run: its cores look like those of others"
            return CpuOfOthers(None, None, why)
    known = [cores for cores in own if cores is not None]
    if len(known) < len(own):
        return CpuOfOthers(None, None, "what the run's own processes used was not read")
    return CpuOfOthers(max(0.0, host.busy - sum(known)), sum(known), "")
