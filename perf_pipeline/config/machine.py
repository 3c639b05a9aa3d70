"""The limits of this machine, and the largest load level that they allow.

A slot of a synchronous target is a thread, with kailash one that has a runtime of its own: 3 file
descriptors and at most 72 kB (measured with kailash 2.65.0, Python 3.11). A slot of an asynchronous
target is a task of an event loop and takes no descriptor, and 9 kB with kailash; as much again is
for what workflows hold. The workers raise their own soft descriptor limit, so that the hard one
counts.
"""

from __future__ import annotations

import math
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.cgroup import (
    Allowance,
    CpuQuota,
    cpu_quotas,
    memory_allowance,
    tasks_allowance,
)
from perf_pipeline.config.scenario.keys import MAX_LEVEL
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import Scenario

Mode = Literal["threads", "asyncio"]

THREADS_A_PROCESS = 2000
"""Of more threads, some are not in flight (measured with kailash, as above)."""

SLOT_IS: dict[Mode, str] = {"threads": "a thread", "asyncio": "a task of an event loop"}
SLOT_DESCRIPTORS: dict[Mode, int] = {"threads": 3, "asyncio": 0}
PROCESS_DESCRIPTORS = 200
"""Files, connections to the servers and the interpreter's own, on top of the slots."""

SLOT_BYTES: dict[Mode, int] = {"threads": 72_000, "asyncio": 20_000}
PROCESS_BYTES = 110_000_000
"""A worker with the runtime imported and one workflow executed, no slots."""

HARNESS_BYTES = 500_000_000
"""Reserved for the harness (Dagster, Polars) and the embedded servers."""

HARNESS_TASKS = 200
"""Reserved for their processes and threads, and for threads of a worker that are not slots."""


@dataclass(frozen=True)
class MachineLimits:
    """Limits on this process and its children; None where there is no limit or it is unknown.

    Attributes:
        descriptors_soft: RLIMIT_NOFILE now; None for unlimited.
        descriptors_hard: The value to which a process may raise it itself; None for unlimited.
        tasks: The tightest limit on processes and threads together: RLIMIT_NPROC (which does not
            hold for root), the control group's, or the kernel's.
        memory_available_bytes: MemAvailable: memory that can be allocated without swapping.
        memory_group: The tightest memory limit of the control groups, bytes.
        cores_usable: Cores that this process may use at once: those that it may be scheduled on,
            or the CPU quota rounded up, whichever is less; at least 1.
        cores_affinity: Those that it may be scheduled on; None where that was not read.
        cpu_quota: The tightest CPU quota of the control groups; None without one.
    """

    descriptors_soft: int | None
    descriptors_hard: int | None
    tasks: Allowance | None
    memory_available_bytes: int | None
    memory_group: Allowance | None
    cores_usable: int
    cores_affinity: int | None = None
    cpu_quota: CpuQuota | None = None

    @property
    def memory_free_bytes(self) -> int | None:
        """The smaller of what the machine and the control group have left, bytes."""
        group = None if self.memory_group is None else self.memory_group.free
        known = (self.memory_available_bytes, group)
        return min((value for value in known if value is not None), default=None)


@dataclass(frozen=True)
class Bound:
    """The largest level that one limit allows.

    Attributes:
        what: The limit: ``descriptors``, ``tasks``, ``memory`` or ``slots``.
        level: Workflows in flight; 0 if not even one fits.
        arithmetic: How the level follows from the limit, in words.
        remedy: What would raise it, as ``or ...`` continues a sentence.
    """

    what: str
    level: int
    arithmetic: str
    remedy: str


def processes_of(scenario: Scenario, limits: MachineLimits) -> int:
    """Return the number of worker processes a level: the scenario's, else one a usable core."""
    return scenario.processes or limits.cores_usable


def read_machine_limits(
    proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> MachineLimits:
    """Read the limits of this process from the kernel.

    Args:
        proc: Where the process file system is mounted.
        cgroups: Where the control groups are mounted.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    tasks = [_user_tasks(proc), tasks_allowance(proc, cgroups), kernel_tasks(proc)]
    affinity, quotas = len(os.sched_getaffinity(0)), cpu_quotas(proc, cgroups)
    return MachineLimits(
        descriptors_soft=_finite(soft),
        descriptors_hard=_finite(hard),
        tasks=min((t for t in tasks if t is not None), key=lambda t: t.free, default=None),
        memory_available_bytes=_memory_available_bytes(proc),
        memory_group=memory_allowance(proc, cgroups),
        cores_usable=min([affinity, *(max(math.ceil(quota.cores), 1) for quota in quotas)]),
        cores_affinity=affinity,
        cpu_quota=quotas[0] if quotas else None,
    )


def mode_of(target: str) -> Mode:
    """Return what a slot of a target is; ``target`` is a text that ``parse_target`` takes."""
    return target_facts(parse_target(target).name).mode


def level_bounds(
    limits: MachineLimits, processes: int, mode: Mode = "threads"
) -> tuple[Bound, ...]:
    """Return what each known limit allows for a level shared by ``processes`` workers."""
    bounds = [_slot_bound(processes, mode)]
    if limits.descriptors_hard is not None and SLOT_DESCRIPTORS[mode]:
        bounds.append(_descriptor_bound(limits.descriptors_hard, processes, SLOT_DESCRIPTORS[mode]))
    if limits.tasks is not None and mode == "threads":
        bounds.append(_task_bound(limits.tasks, processes))
    if limits.memory_free_bytes is not None:
        bounds.append(_memory_bound(limits.memory_free_bytes, processes, SLOT_BYTES[mode]))
    return tuple(bounds)


def largest_level(limits: MachineLimits, processes: int, mode: Mode = "threads") -> Bound:
    """Return the tightest bound.

    Args:
        limits: The limits of the machine.
        processes: Worker processes that share a level; >= 1.
        mode: What a slot is.
    """
    return min(level_bounds(limits, processes, mode), key=lambda bound: bound.level)


def _slot_bound(processes: int, mode: Mode) -> Bound:
    threads = THREADS_A_PROCESS * processes
    if mode == "threads" and threads < MAX_LEVEL:
        why = f"{processes} worker processes x {THREADS_A_PROCESS} threads: above that not all of "
        return Bound("slots", threads, f"{why}them are in flight", "raise processes")
    return Bound("slots", MAX_LEVEL, "more was never tried", "run several machines")


def _descriptor_bound(hard: int, processes: int, slot_descriptors: int) -> Bound:
    level = max(hard - PROCESS_DESCRIPTORS, 0) // slot_descriptors * processes
    needed = slot_descriptors * THREADS_A_PROCESS + PROCESS_DESCRIPTORS
    return Bound(
        "descriptors",
        level,
        f"{processes} worker processes x ({hard} file descriptors, the hard limit, "
        f"- {PROCESS_DESCRIPTORS}) / {slot_descriptors} a workflow = {level}",
        f"raise the hard limit (ulimit -Hn {needed} allows {THREADS_A_PROCESS} a process)",
    )


def _task_bound(tasks: Allowance, processes: int) -> Bound:
    level = max(tasks.free - HARNESS_TASKS - processes, 0)
    return Bound(
        "tasks",
        level,
        f"{tasks.limit} processes and threads ({tasks.source}) - {tasks.used} running "
        f"- {processes} workers - {HARNESS_TASKS} for harness and servers, "
        f"1 thread a workflow = {level}",
        f"raise {tasks.source}",
    )


def _memory_bound(free_bytes: int, processes: int, slot_bytes: int) -> Bound:
    reserved_bytes = HARNESS_BYTES + processes * PROCESS_BYTES
    level = max(free_bytes - reserved_bytes, 0) // slot_bytes
    return Bound(
        "memory",
        level,
        f"({free_bytes / 1e6:.0f} MB free - {HARNESS_BYTES / 1e6:.0f} MB for harness and servers "
        f"- {processes} workers x {PROCESS_BYTES / 1e6:.0f} MB) / {slot_bytes / 1e3:.0f} kB "
        f"a workflow = {level}",
        "free memory or raise the container's limit",
    )


def _finite(limit: int) -> int | None:
    return None if limit == resource.RLIM_INFINITY else limit


def _user_tasks(proc: Path) -> Allowance | None:
    """Return RLIMIT_NPROC and the user's threads; None where the kernel does not enforce it."""
    soft = _finite(resource.getrlimit(resource.RLIMIT_NPROC)[0])
    user = os.getuid()
    if soft is None or (user == 0 and _is_root_of_the_host(proc)):
        return None
    return Allowance(soft, sum(_threads_of(user, proc)), "ulimit -u")


def _is_root_of_the_host(proc: Path) -> bool:
    """Return whether user 0 is 0 outside of every user namespace, too."""
    text = _text(proc / "self" / "uid_map")
    return text is None or text.split()[:2] == ["0", "0"]


def _threads_of(user: int, proc: Path) -> list[int]:
    counts = []
    for folder in proc.iterdir():
        status = _text(folder / "status") if folder.name.isdecimal() else None
        if status is not None:  # None: it ended while we looked
            fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
            if fields.get("Uid", "").split()[:1] == [str(user)]:
                counts.append(int(fields.get("Threads", "1")))
    return counts


def kernel_tasks(proc: Path) -> Allowance | None:
    """Return the kernel's own limit: thread ids, or threads, whichever is smaller."""
    limits = [
        (int(text), f"kernel.{name}")
        for name in ("pid_max", "threads-max")
        if (text := _text(proc / "sys" / "kernel" / name)) is not None
    ]
    load = _text(proc / "loadavg")  # "0.03 0.09 0.04 2/86 5643": 86 threads exist
    if not limits or load is None:
        return None
    limit, source = min(limits)
    return Allowance(limit, int(load.split()[3].split("/")[1]), source)


def _memory_available_bytes(proc: Path) -> int | None:
    for line in (_text(proc / "meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _text(path: Path) -> str | None:
    """Return a kernel file's text; None where it is not there, or its process has ended."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
