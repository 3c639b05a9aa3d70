"""The largest load level that the limits of a machine allow.

A slot of a synchronous target is a thread, with kailash one that has a runtime of its own: 3 file
descriptors and at most 72 kB (measured with kailash 2.65.0, Python 3.11). A slot of an asynchronous
target is a task of an event loop and takes no descriptor, and 9 kB with kailash; as much again is
for what workflows hold. The workers raise their own soft descriptor limit, so that the hard one
counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.config.scenario.keys import MAX_LEVEL
from perf_pipeline.config.scenario.target_spec import parse_target, target_facts
from perf_pipeline.config.stacks import GUARD_BYTES, MAPS_A_THREAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.cgroup import Allowance
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.stacks import StackLimits

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

PROCESS_ADDRESS_BYTES = 1_000_000_000
"""Interpreter, libraries and arenas of malloc, on top of the stacks: of 2 GB a process had 122
stacks of 8 MB."""

PROCESS_MAPS = 1500
"""Memory maps of a worker with the runtime imported, on top of those of the threads."""


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
    if limits.stacks is not None and mode == "threads":
        bounds += stack_bounds(limits.stacks, processes)
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


def stack_bounds(stacks: StackLimits, processes: int) -> Iterator[Bound]:
    """Yield what each known limit on the stacks of threads allows."""
    size, each = stacks.stack_bytes, f"stacks of {stacks.stack_bytes / 1e6:,.1f} MB (ulimit -s)"
    if stacks.largest_bytes is not None and size > stacks.largest_bytes:
        why = (
            f"the kernel starts no thread with {each}, more than memory and swap, "
            f"{stacks.largest_bytes / 1e6:.0f} MB (vm.overcommit_memory = 0)"
        )
        yield Bound("stack size", 0, why, "lower ulimit -s (8192 is usual)")
    if stacks.address_space_bytes is not None:
        space = stacks.address_space_bytes
        level = max(space - PROCESS_ADDRESS_BYTES, 0) // (size + GUARD_BYTES) * processes
        why = (
            f"{processes} worker processes x ({space / 1e6:.0f} MB of address space (ulimit -v, "
            f"-d) - {PROCESS_ADDRESS_BYTES / 1e6:.0f} MB) / {each} = {level}"
        )
        yield Bound("address space", level, why, "raise ulimit -v, or lower ulimit -s")
    if stacks.maps_max is not None:
        level = max(stacks.maps_max - PROCESS_MAPS, 0) // MAPS_A_THREAD * processes
        why = (
            f"{processes} worker processes x ({stacks.maps_max} memory maps (vm.max_map_count) - "
            f"{PROCESS_MAPS}) / {MAPS_A_THREAD} a thread = {level}"
        )
        yield Bound("memory maps", level, why, "raise vm.max_map_count")
    if stacks.commit_free_bytes is not None:
        free, reserved = stacks.commit_free_bytes, HARNESS_BYTES + processes * PROCESS_BYTES
        level = max(free - reserved, 0) // size
        why = (
            f"({free / 1e6:.0f} MB that may be promised (vm.overcommit_memory = 2) - "
            f"{reserved / 1e6:.0f} MB for harness, servers and workers) / {each} = {level}"
        )
        yield Bound("committed memory", level, why, "lower ulimit -s, or vm.overcommit_memory = 0")
