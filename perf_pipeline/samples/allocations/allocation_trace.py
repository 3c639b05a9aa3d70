"""What a traced worker process writes: its heap at equal amounts of work, by place.

A snapshot is taken while no workflow is in flight and after a garbage collection, so what is in it
is what the process retains. An interval is the work between two snapshots.

The types are imported in the target's process: standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class HeapSnapshot:
    """The process at one moment without load.

    Attributes:
        workflows: Ended since the load began.
        heap_bytes: Of the blocks that Python's allocators handed out since tracing began and that
            are not free, without those of the tracing itself.
        heap_blocks: How many blocks these are.
        tracer_bytes: Memory of tracemalloc itself, which is in no other heap figure.
        open_files: File descriptors.
        threads: Threads, those of the slots included.
        in_flight: Workflows that did not end although nothing new was started; 0 unless one hangs.
        took_s: How long the load paused for it.
    """

    workflows: int
    heap_bytes: int
    heap_blocks: int
    tracer_bytes: int
    open_files: int
    threads: int
    in_flight: int
    took_s: float


@dataclass(frozen=True)
class WorkInterval:
    """The work after one snapshot and before the next; the last one is not traced.

    Attributes:
        workflows: That ended in it.
        failed: Those of them that did not end ok.
        length_s: Wall time.
        cpu_s: CPU time of the process.
        uss_growth_bytes: Growth of the memory of the process alone (USS) in it, of all kinds; None
            where the kernel does not say. What a snapshot leaves behind is in no interval.
        tracer_growth_bytes: The part of it that is memory of tracemalloc itself.
        is_traced: Whether allocations were traced meanwhile.
    """

    workflows: int
    failed: int
    length_s: float
    cpu_s: float
    uss_growth_bytes: int | None
    tracer_growth_bytes: int
    is_traced: bool


@dataclass(frozen=True)
class FrameLine:
    """A line of code in a call stack.

    Attributes:
        file: As the interpreter names it: a path, or ``<string>`` for code without a file.
        line: Number of the line.
    """

    file: str
    line: int


@dataclass(frozen=True)
class PlaceSeries:
    """What the blocks that one line allocated hold at each snapshot.

    Attributes:
        frames: The line, then its callers where they were traced.
        size_bytes: At each snapshot.
        blocks: Number of blocks at each snapshot.
    """

    frames: tuple[FrameLine, ...]
    size_bytes: tuple[int, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True)
class AllocationTrace:
    """The trace of one worker process, as far as it came.

    Attributes:
        is_ended: Whether no more follows.
        problem: Why it ended before all that was asked for was played; empty if it did not.
        warm_up_workflows: That ended before the first snapshot.
        snapshots: In their order.
        intervals: Between them, and one without tracing at the end.
        places: Those that grew most from the first snapshot to the last.
        changed_places: How many places differ between any two snapshots; not all are in
            ``places``.
        import_path: Where the process imports modules from.
    """

    is_ended: bool
    problem: str
    warm_up_workflows: int
    snapshots: tuple[HeapSnapshot, ...]
    intervals: tuple[WorkInterval, ...]
    places: tuple[PlaceSeries, ...]
    changed_places: int
    import_path: tuple[str, ...]


def read_allocation_trace(path: Path) -> AllocationTrace:
    """Read what a worker process wrote.

    Raises:
        RunFolderError: It wrote nothing, or not what this version writes.
    """
    return read_typed(path, AllocationTrace, SCHEMA_VERSION)
