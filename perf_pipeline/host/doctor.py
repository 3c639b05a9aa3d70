"""The limits of this machine and whether it is quiet: a finding for each.

Facts are gathered by the caller (``read_machine_limits``, ``read_pressure`` and the like) and
only judged here, so that tests can judge machines that do not exist.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perf_pipeline.config.level_bounds import largest_level, level_bounds, stack_bounds
from perf_pipeline.config.scenario.keys import MAX_LEVEL
from perf_pipeline.host.finding import Finding
from perf_pipeline.host.pressure import pressure_findings
from perf_pipeline.host.scheduling import scheduling_finding
from perf_pipeline.samples.record import RECORD

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.config.level_bounds import Bound, Mode
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.stacks import StackLimits
    from perf_pipeline.host.finding import ServiceFinding, Severity
    from perf_pipeline.host.pressure import Pressure
    from perf_pipeline.samples.host_record import Scheduling

LOWEST_NAMED_LEVEL = 100
"""The lowest level for which there are targets that users know."""

ENOUGH_LEVEL = 2000
"""The highest level for which there are targets that users know."""

_SLOTS: dict[Mode, str] = {
    "threads": "synchronous targets take a thread a workflow",
    "asyncio": "asynchronous targets take a task a workflow",
}

DISK_TIGHT_BYTES = 3_000_000_000
"""Embedded PostgreSQL may keep 2 GB of write-ahead log; results and environments come on top."""

DISK_FULL_BYTES = 500_000_000
OLDEST_PYTHON = (3, 11)


def diagnose(
    limits: MachineLimits,
    *,
    processes: int,
    disk_free_bytes: int | None,
    pressure: Pressure,
    scheduling: Scheduling,
    python_version: tuple[int, int, int],
    uv: str | None,
    services: Sequence[ServiceFinding],
) -> list[Finding]:
    """Judge the facts about this machine.

    Args:
        limits: What the kernel lets a run have.
        processes: Worker processes a level; >= 1.
        disk_free_bytes: Free where results go; None if not measured.
        pressure: How busy the machine is now.
        scheduling: How the kernel would share the cores among the processes of a run.
        python_version: Of the harness.
        uv: Path of uv; None without it.
        services: One for each server that scenarios use.

    Returns:
        The largest level first, then a row for each limit, then the rest.
    """
    return [
        _largest(limits, processes, "threads"),
        _largest(limits, processes, "asyncio"),
        *_limits(limits, processes),
        _disk(disk_free_bytes),
        _cores(limits, processes),
        scheduling_finding(scheduling),
        *pressure_findings(pressure, limits.cores_affinity or limits.cores_usable),
        _python(python_version),
        _uv(uv),
        *(_service(service) for service in services),
    ]


def disk_free_bytes(folder: Path) -> int | None:
    """Return the free space for this user where ``folder`` is or would be made, bytes.

    None if it cannot be read.
    """
    for path in (folder, *folder.absolute().parents):
        try:
            facts = os.statvfs(path)
        except OSError:  # missing or unreadable: its parent is on the same disk
            continue
        return facts.f_bavail * facts.f_frsize
    return None


def _largest(limits: MachineLimits, processes: int, mode: Mode) -> Finding:
    bound = largest_level(limits, processes, mode)
    return Finding(
        what=f"largest level, {mode}",
        value=f"{bound.level} in flight",
        limit=f"1 to {MAX_LEVEL}",
        meaning=f"{_SLOTS[mode]}; set by {bound.what}: {bound.arithmetic}",
        todo="" if bound.level >= ENOUGH_LEVEL else bound.remedy,
        severity=_level_severity(bound.level),
    )


def _limits(limits: MachineLimits, processes: int) -> list[Finding]:
    bounds = {bound.what: bound for bound in level_bounds(limits, processes)}
    soft, hard = (_count(n) for n in (limits.descriptors_soft, limits.descriptors_hard))
    tasks, free = limits.tasks, limits.memory_free_bytes
    known = "no limit known" if tasks is None else f"{tasks.limit} ({tasks.source})"
    group = limits.memory_group
    return [
        _limit(
            "descriptors",
            f"soft {soft}, hard {hard}",
            "the hard limit; workers raise the soft one themselves",
            bounds.get("descriptors"),
        ),
        _limit(
            "tasks",
            "not measured" if tasks is None else f"{tasks.used} used",
            known,
            bounds.get("tasks"),
        ),
        *([] if limits.stacks is None else [_stacks(limits.stacks, processes)]),
        _limit(
            "memory",
            "not measured" if free is None else f"{free / 1e6:.0f} MB free",
            "MemAvailable"
            if group is None
            else f"MemAvailable and {group.limit / 1e6:.0f} MB ({group.source})",
            bounds.get("memory"),
            unknown="warning",
        ),
    ]


def _stacks(stacks: StackLimits, processes: int) -> Finding:
    space = stacks.address_space_bytes
    known = "unlimited" if space is None else f"{space / 1e6:.0f} MB"
    return _limit(
        "stacks of threads",
        f"{stacks.stack_bytes / 1e6:,.1f} MB each",
        f"address space {known}, {stacks.maps_max or 'unknown'} memory maps",
        min(stack_bounds(stacks, processes), key=lambda one: one.level, default=None),
    )


def _limit(
    what: str, value: str, limit: str, bound: Bound | None, unknown: Severity = "ok"
) -> Finding:
    if bound is None:
        return Finding(what, value, limit, "does not limit the level as far as known", "", unknown)
    severity = _level_severity(bound.level)
    todo = "" if severity == "ok" else bound.remedy
    return Finding(
        what, value, limit, f"levels up to {bound.level}: {bound.arithmetic}", todo, severity
    )


def _level_severity(level: int) -> Severity:
    if level < LOWEST_NAMED_LEVEL:
        return "problem"
    return "ok" if level >= ENOUGH_LEVEL else "warning"


def _disk(free_bytes: int | None) -> Finding:
    limit = f"{DISK_TIGHT_BYTES / 1e9:g} GB for servers and environments"
    if free_bytes is None:
        return Finding(
            "disk", "not measured", limit, "room for results is unknown", "check it", "warning"
        )
    hours = free_bytes / (RECORD.size * 1000 * 3600)
    tight: Severity = "warning" if free_bytes < DISK_TIGHT_BYTES else "ok"
    severity: Severity = "problem" if free_bytes < DISK_FULL_BYTES else tight
    return Finding(
        what="disk",
        value=f"{free_bytes / 1e9:.1f} GB free",
        limit=limit,
        meaning=f"{RECORD.size} bytes a workflow: {hours:.0f} h of records at 1000/s",
        todo="" if severity == "ok" else "free disk space, or point --results at another disk",
        severity=severity,
    )


def _cores(limits: MachineLimits, processes: int) -> Finding:
    usable, quota = limits.cores_usable, limits.cpu_quota
    value, todo = f"{usable} usable", ""
    if limits.cores_affinity is not None and quota is not None:
        value = (
            f"{usable} usable: {limits.cores_affinity} by affinity, a CPU quota of "
            f"{quota.cores:.3g} ({quota.source})"
        )
    little = usable == 1 or (quota is not None and quota.cores < min(usable, 2))
    if little:
        todo = "give the machine or container a second core"
        if quota is not None and quota.cores < (limits.cores_affinity or usable):
            todo = "raise the CPU quota of the container (docker: --cpus, Kubernetes: limits.cpu)"
    return Finding(
        what="cores",
        value=value,
        limit="2 or more",
        meaning=f"{processes} worker processes; servers and harness run on the same cores",
        todo=todo,
        severity="warning" if little else "ok",
    )


def _python(version: tuple[int, int, int]) -> Finding:
    new_enough = version >= OLDEST_PYTHON
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return Finding(
        what="python",
        value=".".join(map(str, version)),
        limit=f"{oldest} or newer",
        meaning="runs the harness, and the targets in their own environments",
        todo="" if new_enough else f"install Python {oldest}",
        severity="ok" if new_enough else "problem",
    )


def _uv(path: str | None) -> Finding:
    if path is None:
        return Finding(
            what="uv",
            value="not found",
            limit="none: venv and pip do as well",
            meaning="environments of targets are made with venv and pip, which is slower",
            todo="",
            severity="ok",
        )
    return Finding("uv", path, "any version", "makes the environments of targets", "", "ok")


def _service(service: ServiceFinding) -> Finding:
    limit = "settings, start, machine, bundle: the first available"
    if service.source is not None:
        value = f"{service.source}: {service.detail}"
        return Finding(service.service, value, limit, "workflows use it", "", "ok")
    meaning = "scenarios whose workflows use it fail before they start"
    if service.optional:
        meaning += '; those with missing_servers = "leave_out" (baseline) leave its writes out'
    severity: Severity = "warning" if service.optional else "problem"
    return Finding(service.service, "unavailable", limit, meaning, service.detail, severity)


def _count(limit: int | None) -> str:
    return "unlimited" if limit is None else str(limit)
