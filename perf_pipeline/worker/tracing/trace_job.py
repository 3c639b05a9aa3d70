"""How the allocations of a worker process are traced."""

from __future__ import annotations

from dataclasses import dataclass

WARM_UP_WORKFLOWS = 2500
"""Until then a process of kailash fills a bounded list."""


@dataclass(frozen=True)
class TraceJob:
    """How much a worker process plays while its allocations are traced.

    Attributes:
        warm_up_workflows: Before the first snapshot: caches and bounded lists fill.
        interval_workflows: Between one snapshot and the next; a few more end as the load pauses,
            and all intervals are shorter where the time does not suffice.
        intervals: Between snapshots; one more is played without tracing, to see what tracing costs.
        caller_workflows: Played after the intervals, while the callers of lines are traced too.
        frames: Lines of a call stack that are traced then. The intervals trace one: on kailash it
            takes 7 times the CPU time of the workflow, and five take 35 times.
        places: How many places are written, those that grew most.
        limit_s: Time for all of it.
    """

    warm_up_workflows: int = WARM_UP_WORKFLOWS
    interval_workflows: int = 500
    intervals: int = 6
    caller_workflows: int = 50
    frames: int = 6
    places: int = 50
    limit_s: float = 900.0
