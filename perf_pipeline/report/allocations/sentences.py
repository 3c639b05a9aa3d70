"""Says in sentences which places of a target's code grew with the work, and what tracing cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import quantity
from perf_pipeline.report.text.escape import name, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.allocations.growth_places import (
        CodeLine,
        Growth,
        GrowthPlace,
        GrowthPlaces,
        ProcessGrowth,
    )

NAMED = 10
"""Places that are named."""
OURS = "perf_pipeline/"
CALLERS = 3
"""Callers of a place that are named."""
MB = 1_000_000.0
_NATIVE = (
    "Memory that native code allocates by itself is in no place, and a native profiler such as "
    "memray sees it"
)
_PATTERNS = {
    "slowing": "grew less and less",
    "in_steps": "grew once or in steps",
}


def growth_headline(found: GrowthPlaces) -> str:
    """Return the finding in one sentence."""
    if found.problem or found.process is None:
        return f"No place can be named: {visible(found.problem)}."
    heap = found.process.heap_bytes
    if not found.places:
        return (
            f"No place grew to the end: Python's heap grew by {_growth(heap)} per 1000 workflows."
        )
    first = found.places[0]
    more = f" and {quantity.counted(len(found.places) - 1, 'other place')}"
    return (
        f"{place(first)}{more if len(found.places) > 1 else ''} grew to the end: "
        f"{_growth(first.size_bytes)} and {quantity.significant(first.blocks.per_1000)} blocks per "
        f"1000 workflows; the whole heap {size(heap.per_1000)}."
    )


def growth_sentences(found: GrowthPlaces) -> tuple[str, ...]:
    """Return the finding, each place with its callers, and what the trace does not show."""
    return (growth_headline(found), *_details(found))


def _details(found: GrowthPlaces) -> Iterator[str]:
    if found.process is None or found.cost is None:
        return
    first, *others = found.places[:NAMED] or (None,)
    if first is not None and (by := _callers(first)):
        yield f"{place(first)} is {by.removeprefix(', ')}."
    yield from map(_line, others)
    for one in found.other_places[: NAMED // 2]:
        yield _bounded_line(one)
    yield from _process(found.process)
    yield from (f"{visible(one)}." for one in found.warnings)
    cost, tracing = found.cost, f"Tracing took {size(found.cost.tracer_bytes)} of memory"
    if cost.cpu_ratio is not None:
        tracing += f" and {quantity.significant(cost.cpu_ratio)} times the CPU time per workflow"
    tracing += f", and paused the load for {quantity.seconds(cost.pauses_s)}"
    yield (
        f"{tracing}; {quantity.counted(found.workflows, 'workflow')} in "
        f"{found.intervals} intervals after {quantity.count(found.warm_up_workflows)} of warm-up. "
        "A cache that fills later looks like growth."
    )


def _process(process: ProcessGrowth) -> Iterator[str]:
    counts = (("open files", process.open_files), ("threads", process.threads))
    for what, growth in counts:
        if growth.low > 0:
            yield (
                f"{quantity.significant(growth.per_1000)} more {what} per 1000 workflows, which no "
                "place of the heap shows."
            )
    outside = process.outside_bytes
    beside = f"; outside of the heap the process grew by {_growth(outside)}" if outside else ""
    yield f"{_NATIVE}{beside}."


def _line(one: GrowthPlace) -> str:
    return (
        f"{place(one)} grew to the end, {_growth(one.size_bytes)} and "
        f"{quantity.significant(one.blocks.per_1000)} blocks per 1000 workflows{_callers(one)}."
    )


def _bounded_line(one: GrowthPlace) -> str:
    """Say how a place grew that did not grow to the end."""
    grown = ", ".join(map(size, one.intervals_bytes))
    return (
        f"Not named: {place(one)} {_PATTERNS[one.pattern]}: {grown} per 1000 workflows in the "
        "intervals."
    )


def _callers(one: GrowthPlace) -> str:
    """Return who called a place, as the tail of a sentence; not what plays the workflows."""
    of_target = [line for line in one.lines[1:] if not line.file.startswith(OURS)]
    callers = " < ".join(map(code, of_target[:CALLERS]))
    return f", called by {callers}" if callers else ""


def place(one: GrowthPlace) -> str:
    """Return ``shop.py:3 (order)``."""
    return code(one.lines[0])


def code(line: CodeLine) -> str:
    """Return a line of code with its function."""
    where = f"{visible(line.file)}:{line.line}"
    return f"{where} ({name(line.function)})" if line.function else where


def size(size_bytes: float) -> str:
    """Return an amount of memory in bytes, kB or MB."""
    for unit, each in (("MB", MB), ("kB", 1000.0)):
        if abs(size_bytes) >= each:
            return f"{quantity.significant(size_bytes / each)} {unit}"
    return f"{quantity.significant(size_bytes)} bytes"


def _growth(growth: Growth) -> str:
    """Return a growth of bytes with its interval."""
    low, high = size(growth.low), size(growth.high)
    return f"{size(growth.per_1000)} (95 % interval {low} to {high})"
