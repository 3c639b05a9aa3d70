"""The processes that a target starts, and the CPU time of all of them, ended ones included.

A worker's keeper adopts what its parents left behind (``loadgen/supervise/keeper.py``), so that
every process of a target is below its keeper. The kernel adds the CPU time of a process that has
ended to its parent's when the parent has waited for it (proc(5), ``cutime``), so the sum over all
that live, and what they have waited for, loses nothing between two samples: a subprocess of 10 ms
counts. Only a process whose parent ignores SIGCHLD takes its time with it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

CPU = "tree_cpu_s"
"""CPU seconds of a worker and of everything that it has started, since its start."""

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_ENDED_STATES = frozenset("ZXx")


class TargetProcesses(NamedTuple):
    """A worker with everything below it.

    Attributes:
        cpu_s: CPU seconds of the worker and of all that it started.
        children: Process id to name of those that live, the worker left out; each comes after
            the one that started it.
        keeper: The process that adopts what its parents left behind; None without.
    """

    cpu_s: float
    children: dict[int, str]
    keeper: int | None = None


class Process(NamedTuple):
    """What the kernel tells of a process in ``/proc/PID/stat`` (proc(5)).

    Attributes:
        parent: Process id of its parent.
        name: Its command's.
        state: A letter.
        own_ticks: CPU time of itself, of which there are ``TICKS_PER_S`` a second.
        waited_ticks: CPU time of the ended children that it has waited for.
    """

    parent: int
    name: str
    state: str
    own_ticks: int
    waited_ticks: int


def target_processes(
    workers: Iterable[int], supervisor: int, proc: Path = Path("/proc")
) -> dict[int, TargetProcesses]:
    """Find what each worker has started.

    Args:
        workers: Their process ids.
        supervisor: The process that started their keepers; a worker that it started itself has
            none.
        proc: Where the kernel tells of processes.

    Returns:
        Worker to its processes; a worker that has ended is missing.
    """
    found = _all_processes(proc)
    below: dict[int, list[int]] = {}
    for pid, process in found.items():
        below.setdefault(process.parent, []).append(pid)
    return {
        worker: _tree(worker, supervisor, found, below) for worker in workers if worker in found
    }


def _tree(
    worker: int, supervisor: int, found: dict[int, Process], below: dict[int, list[int]]
) -> TargetProcesses:
    parent = found[worker].parent
    keeper = found.get(parent)
    is_kept = keeper is not None and keeper.parent == supervisor
    ticks = keeper.waited_ticks if keeper is not None and is_kept else 0
    waiting = [*below.get(parent, ())] if is_kept else [worker]
    children: dict[int, str] = {}
    while waiting:
        pid = waiting.pop()
        process = found[pid]
        ticks += process.own_ticks + process.waited_ticks
        waiting += below.get(pid, ())
        if pid != worker and process.state not in _ENDED_STATES:
            children[pid] = process.name
    return TargetProcesses(ticks / TICKS_PER_S, children, parent if is_kept else None)


def read_process(pid: int, proc: Path | str = "/proc") -> Process:
    """Read one process.

    Raises:
        FileNotFoundError, ProcessLookupError: There is none; it may just have ended.
    """
    with open(f"{proc}/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123 - often
        head, _, tail = file.read().rpartition(")")  # the name before it may hold anything
    fields = tail.split()
    own, own_kernel, waited, waited_kernel = (int(field) for field in fields[11:15])
    return Process(
        int(fields[1]),
        head.partition("(")[2],
        fields[0],
        own + own_kernel,
        waited + waited_kernel,
    )


def _all_processes(proc: Path) -> dict[int, Process]:
    found = {}
    for entry in os.listdir(proc):  # noqa: PTH208 - once a second, of all processes
        if entry.isdecimal():
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                found[int(entry)] = read_process(int(entry), proc)
    return found
