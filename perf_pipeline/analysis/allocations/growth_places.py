"""Names the places that grew, from the trace of a worker process."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING

from perf_pipeline.analysis.allocations.growth import (
    MIN_INTERVALS,
    VISIBLE_BYTES,
    growth_of,
    interval_growths,
    pattern_of,
)
from perf_pipeline.metrics.allocations.growth_places import (
    CodeLine,
    Growth,
    GrowthPlace,
    GrowthPlaces,
    ProcessGrowth,
    TracingCost,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.samples.allocations.allocation_trace import (
        AllocationTrace,
        FrameLine,
        PlaceSeries,
    )

MAX_OTHER_PLACES = 10
_BOUNDED = ("slowing", "in_steps")


@dataclass(frozen=True)
class Traced:
    """What was traced.

    Attributes:
        trace_id: Of the trace.
        scenario: What was played.
        target: On what.
        seed: Of the workflows.
        in_flight: Workflows in flight.
        warm_up_asked: Workflows of the warm-up that were asked for.
    """

    trace_id: str
    scenario: str
    target: str
    seed: int
    in_flight: int
    warm_up_asked: int


def growth_places(
    traced: Traced, trace: AllocationTrace, name: Callable[[FrameLine], CodeLine]
) -> GrowthPlaces:
    """Name the places that grew with the work.

    Args:
        traced: What was traced.
        trace: Of its worker process; incomplete where it has intervals enough.
        name: Returns a line of code with its function.
    """
    worked = [one for one in trace.intervals if one.is_traced][: len(trace.snapshots) - 1]
    workflows, failed = sum(one.workflows for one in worked), sum(one.failed for one in worked)
    problem = ""
    if len(worked) < MIN_INTERVALS:
        problem = (
            f"only {len(worked)} intervals of equal work were played, and {MIN_INTERVALS} tell a "
            "place that grows from one that grew once"
        )
        problem = f"{trace.problem}; {problem}" if trace.problem else problem
    elif failed == workflows:
        problem = f"all {workflows} workflows failed"
    found = [] if problem else [_place(one, trace, name) for one in trace.places]
    found = [one for one in found if one.size_bytes.per_1000 >= VISIBLE_BYTES]
    return replace(
        no_growth_places(traced, problem),
        warm_up_workflows=trace.warm_up_workflows,
        workflows=workflows,
        failed=failed,
        intervals=len(worked),
        process=None if problem else _process(trace),
        places=tuple(one for one in found if one.pattern == "steady"),
        other_places=tuple(one for one in found if one.pattern in _BOUNDED)[:MAX_OTHER_PLACES],
        changed_places=trace.changed_places,
        cost=None if problem else _cost(trace),
        warnings=() if problem else _warnings(traced, trace, workflows, failed),
    )


def no_growth_places(traced: Traced, problem: str) -> GrowthPlaces:
    """Return that no place can be named, and why."""
    return GrowthPlaces(
        trace_id=traced.trace_id,
        scenario=traced.scenario,
        target=traced.target,
        seed=traced.seed,
        in_flight=traced.in_flight,
        problem=problem,
    )


def _place(
    series: PlaceSeries, trace: AllocationTrace, name: Callable[[FrameLine], CodeLine]
) -> GrowthPlace:
    workflows = [one.workflows for one in trace.snapshots]
    growths = interval_growths(series.size_bytes, workflows)
    size_bytes = growth_of(growths, looked_at=trace.changed_places)
    return GrowthPlace(
        pattern=pattern_of(growths, size_bytes),
        lines=tuple(map(name, series.frames)),
        size_bytes=size_bytes,
        blocks=growth_of(
            interval_growths(series.blocks, workflows), looked_at=trace.changed_places
        ),
        intervals_bytes=growths,
    )


def _process(trace: AllocationTrace) -> ProcessGrowth:
    snapshots = trace.snapshots

    def growth(values: list[int]) -> Growth:
        return growth_of(interval_growths(values, [one.workflows for one in snapshots]))

    heap = pairwise(one.heap_bytes for one in snapshots)
    outside = [
        1000 * (one.uss_growth_bytes - one.tracer_growth_bytes - (after - before)) / one.workflows
        for one, (before, after) in zip(trace.intervals, heap, strict=False)
        if one.uss_growth_bytes is not None
    ]
    return ProcessGrowth(
        heap_bytes=growth([one.heap_bytes for one in snapshots]),
        heap_blocks=growth([one.heap_blocks for one in snapshots]),
        outside_bytes=growth_of(outside) if len(outside) == len(snapshots) - 1 else None,
        open_files=growth([one.open_files for one in snapshots]),
        threads=growth([one.threads for one in snapshots]),
    )


def _cost(trace: AllocationTrace) -> TracingCost:
    """Compare the interval without tracing with those before it."""
    traced = [one for one in trace.intervals if one.is_traced and one.workflows]
    plain = [one for one in trace.intervals if not one.is_traced and one.workflows and one.cpu_s]
    cpu_ratio = throughput_ratio = None
    if traced and plain:
        (last,) = plain
        each_s = fmean(one.cpu_s / one.workflows for one in traced)
        cpu_ratio = each_s / (last.cpu_s / last.workflows)
        rate = fmean(one.workflows / one.length_s for one in traced)
        throughput_ratio = rate / (last.workflows / last.length_s)
    return TracingCost(
        tracer_bytes=trace.snapshots[-1].tracer_bytes,
        cpu_ratio=cpu_ratio,
        throughput_ratio=throughput_ratio,
        pauses_s=sum(one.took_s for one in trace.snapshots),
    )


def _warnings(
    traced: Traced, trace: AllocationTrace, workflows: int, failed: int
) -> tuple[str, ...]:
    found = []
    if trace.problem:
        found.append(f"it ended early: {trace.problem}")
    if trace.warm_up_workflows < traced.warm_up_asked:
        found.append(
            f"the time for the warm-up was over after {trace.warm_up_workflows} of "
            f"{traced.warm_up_asked} workflows: a bounded list that fills later looks like growth"
        )
    if failed:
        found.append(f"{failed} of {workflows} workflows failed, which may retain other memory")
    hanging = max(one.in_flight for one in trace.snapshots)
    if hanging:
        found.append(
            f"up to {hanging} workflows did not end while the load paused, and their own memory is "
            "in the snapshots"
        )
    return tuple(found)
