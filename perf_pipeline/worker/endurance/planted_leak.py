"""A leak on purpose: what a campaign must find to prove that it would have found a real one.

This module is imported in the target's process: standard library only.
"""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.targets.target import AsyncSlot, AsyncTarget, Slot
    from perf_pipeline.worker.worker_job import WorkerJob

OBJECT_BLOCKS = 4
"""A list, its item, a ``bytearray`` and its bytes: blocks of the interpreter's heap."""

OBJECT_BYTES = 128
"""Of such an object beside the bytes."""

_RESIDENT, _SHARED = 1, 2
_STATM = Path("/proc/self/statm")


class PlantedLeak:
    """Keeps objects after workflows, for as long as the process lives.

    Memory and heap blocks grow by the same share of what the process has when it is ready. So the
    leak is as hard to see in a large target as in a small one.
    """

    def __init__(self, share: float, workflows: int) -> None:
        """Leak nothing before ``begin``.

        Args:
            share: Of the process, that is leaked over all workflows; > 0.
            workflows: That the process will execute; > 0.
        """
        self._share = share
        self._workflows = workflows
        self._objects_a_workflow = 0.0
        self._bytes = 0
        self._ended = itertools.count()
        self._kept: list[list[bytearray]] = []

    def begin(self, memory_bytes: int, heap_blocks: int) -> None:
        """Leak from now on.

        Args:
            memory_bytes: Of this process, as of ``unshared_bytes``.
            heap_blocks: Likewise, as of ``sys.getallocatedblocks``.
        """
        objects = max(1.0, self._share * heap_blocks / OBJECT_BLOCKS)
        self._bytes = max(1, round(self._share * memory_bytes / objects) - OBJECT_BYTES)
        self._objects_a_workflow = objects / self._workflows

    def keep(self) -> None:
        """Keep what one more workflow leaks; any thread may."""
        ended = next(self._ended)
        before, after = (int(each * self._objects_a_workflow) for each in (ended, ended + 1))
        for _ in range(after - before):
            self._kept.append([bytearray(self._bytes)])


def planted_leak(job: WorkerJob) -> PlantedLeak | None:
    """Return the leak of a worker process; None where it is not to leak."""
    if not job.leak_share:
        return None
    return PlantedLeak(job.leak_share, max(1, job.leak_workflows // job.workers))


def begin_leak(leak: PlantedLeak | None) -> None:
    """Let a leak begin in a process that is ready; None is none."""
    if leak is not None:
        leak.begin(unshared_bytes(), sys.getallocatedblocks())


def unshared_bytes() -> int:
    """Return the resident memory of this process that is no file's."""
    pages = _STATM.read_text(encoding="ascii").split()
    return (int(pages[_RESIDENT]) - int(pages[_SHARED])) * os.sysconf("SC_PAGE_SIZE")


class LeakingSlot:
    """A target's slot whose workflows leak."""

    def __init__(self, slot: Slot, leak: PlantedLeak) -> None:
        self._execute = slot.execute
        self._leak = leak

    def execute(self, kind: int, number: int) -> None:
        """As ``Slot.execute``."""
        self._execute(kind, number)
        self._leak.keep()


class LeakingTasks:
    """An asynchronous target whose workflows leak; it is its own slot.

    Attributes:
        at_once: As of ``AsyncTarget``.
    """

    def __init__(self, target: AsyncTarget, leak: PlantedLeak) -> None:
        self.at_once = target.at_once
        self.executing = target.executing
        self.close = target.close
        self._execute = target.open_slot().execute
        self._leak = leak

    def open_slot(self) -> AsyncSlot:
        """Return the target itself: tasks share it."""
        return self

    async def execute(self, kind: int, number: int) -> None:
        """As ``AsyncSlot.execute``."""
        await self._execute(kind, number)
        self._leak.keep()
