"""What the machines of a level did: each by itself, and all together.

Cores of several machines are added up, since the processes of all played the load; whether other
programs disturbed it is a question to each machine, and the noisiest decides.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.cpu_use import NO_SAMPLE, CpuOfOthers, HostCores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.noise import MachineUse, Noise

_NOISIEST_FIRST = ("noisy", "unknown", "quiet")


def cores_of(machines: Sequence[MachineUse]) -> HostCores | None:
    """Return the cores of all machines together; None unless all were read."""
    known = [machine.host for machine in machines if machine.host is not None]
    if not known or len(known) < len(machines):
        return None
    available = [one.memory_available_mb for one in known if one.memory_available_mb is not None]
    quotas = [one.quota for one in known if one.quota is not None]
    return HostCores(
        usable=sum(one.usable for one in known),
        busy=sum(one.busy for one in known),
        iowait=sum(one.iowait for one in known),
        steal=sum(one.steal for one in known),
        idle=sum(one.idle for one in known),
        seconds=min(one.seconds for one in known),
        memory_available_mb=min(available) if len(available) == len(known) else None,
        quota=max(quotas, key=lambda one: one.throttled_percent or 0.0, default=None),
    )


def others_of(machines: Sequence[MachineUse]) -> CpuOfOthers:
    """Return what processes outside of the run used on all machines."""
    whys = [f"{one.name}: {one.others.why_not}" for one in machines if one.others.why_not]
    if whys or not machines:
        return replace(NO_SAMPLE, why_not="; ".join(whys) or NO_SAMPLE.why_not)
    return CpuOfOthers(
        sum(one.others.cores or 0.0 for one in machines),
        sum(one.others.own_cores or 0.0 for one in machines),
        "",
    )


def noise_of_all(machines: Sequence[MachineUse]) -> Noise | None:
    """Return the noise of the noisiest machine, its sentences with its name; None if not examined.

    Of machines with the same verdict it is the one whose figures come nearest to their limits. The
    warnings are those of all.
    """
    known = [(one.name, one.noise) for one in machines if one.noise is not None]
    if not known:
        return None
    name, worst = min(
        known, key=lambda one: (_NOISIEST_FIRST.index(one[1].verdict), -_share(one[1]))
    )
    causes = tuple(f"{name}: {cause}" for cause in worst.causes)
    warnings = tuple(f"{other}: {text}" for other, noise in known for text in noise.warnings)
    return replace(worst, causes=causes, warnings=warnings)


def _share(noise: Noise) -> float:
    """Return the largest share of its limit that a figure which is evidence has."""
    shares = [
        one.value / one.limit
        for one in noise.figures
        if one.is_evidence and one.value is not None and one.limit
    ]
    return max(shares, default=0.0)
