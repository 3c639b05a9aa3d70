"""The trace of a worker process, without the process."""

from __future__ import annotations

from itertools import pairwise

from perf_pipeline.analysis.allocations.growth_places import Traced, growth_places
from perf_pipeline.metrics.allocations.growth_places import CodeLine, GrowthPlaces
from perf_pipeline.samples.allocations.allocation_trace import (
    AllocationTrace,
    FrameLine,
    HeapSnapshot,
    PlaceSeries,
    WorkInterval,
)

TRACED = Traced("20260114_093012-4f2c", "shop", "callable", 1, 2, 1000)


def series(line: int, each: list[int]) -> PlaceSeries:
    """Return a place whose contents are in blocks of 100 bytes."""
    frames = (FrameLine("shop.py", line), FrameLine("perf_pipeline/worker/closed_loop.py", 7))
    return PlaceSeries(frames, tuple(100 * one for one in each), tuple(each))


LEAK = series(3, [1000 * at for at in range(7)])
FILLED = series(5, [5000, 9000, 9000, 9000, 9000, 9000, 9000])


def trace(
    *places: PlaceSeries, files: list[int] | None = None, uss_each: int = 0
) -> AllocationTrace:
    """Return a trace of six intervals of 1000 workflows."""
    heap = [sum(one.size_bytes[at] for one in places) for at in range(7)]
    return AllocationTrace(
        is_ended=True,
        problem="",
        warm_up_workflows=1000,
        snapshots=tuple(
            HeapSnapshot(
                workflows=1000 * (at + 1),
                heap_bytes=heap[at],
                heap_blocks=heap[at] // 100,
                tracer_bytes=50_000,
                open_files=files[at] if files else 9,
                threads=4,
                in_flight=0,
                took_s=0.5,
            )
            for at in range(7)
        ),
        intervals=(
            *(
                WorkInterval(1000, 0, 2.0, 1.5, after - before + uss_each + 70, 70, is_traced=True)
                for before, after in pairwise(heap)
            ),
            WorkInterval(1000, 0, 1.0, 0.5, 0, 0, is_traced=False),
        ),
        places=places,
        changed_places=20,
        import_path=(),
    )


def judged(of: AllocationTrace) -> GrowthPlaces:
    """Return the places that a trace names."""
    return growth_places(TRACED, of, lambda one: CodeLine(one.file, one.line, "order"))
