"""The places in a target's code whose memory grew while workflows were played, as stored.

The level behind them has the role ``allocations``: it counts in no verdict and no history.
"""

from dataclasses import dataclass
from typing import Literal

Pattern = Literal["steady", "slowing", "in_steps", "to_and_fro"]
"""``steady``: it grew with the work to the end. ``slowing``: it grew, and less at the end, as a
cache does that fills. ``in_steps``: it grew once, or in some intervals and not in others.
``to_and_fro``: it also shrank, and whether it grows with the work cannot be told."""


@dataclass(frozen=True)
class Growth:
    """A growth per 1000 workflows, over intervals of equal work.

    Attributes:
        per_1000: Mean over all workflows.
        low: Lower end of its 95 % interval; of a place, one that holds for all places together.
        high: Upper end.
    """

    per_1000: float
    low: float
    high: float


@dataclass(frozen=True)
class CodeLine:
    """A line of code.

    Attributes:
        file: As modules are imported, such as ``kailash/runtime/local.py``; ``<string>`` for code
            without a file.
        line: Number of the line.
        function: Which has it, such as ``LocalRuntime.execute``; empty where that is not known.
    """

    file: str
    line: int
    function: str


@dataclass(frozen=True)
class GrowthPlace:
    """A line of code that allocated blocks of which more and more were not freed.

    Attributes:
        pattern: Whether it grows with the work.
        lines: The line, then its callers where they were traced.
        size_bytes: Growth in bytes.
        blocks: Growth in blocks.
        intervals_bytes: Growth in each interval, bytes per 1000 workflows.
    """

    pattern: Pattern
    lines: tuple[CodeLine, ...]
    size_bytes: Growth
    blocks: Growth
    intervals_bytes: tuple[float, ...]


@dataclass(frozen=True)
class TracingCost:
    """What tracing cost.

    Attributes:
        tracer_bytes: Memory of tracemalloc itself at the last snapshot.
        cpu_ratio: CPU time per workflow with tracing / without, which the last interval was; None
            where that was not played.
        throughput_ratio: Throughput with / without.
        pauses_s: How long the load paused for snapshots, all together.
    """

    tracer_bytes: int
    cpu_ratio: float | None
    throughput_ratio: float | None
    pauses_s: float


@dataclass(frozen=True)
class ProcessGrowth:
    """Growth of the process as a whole.

    Attributes:
        heap_bytes: What Python's allocators handed out, in bytes: all places together.
        heap_blocks: Likewise, in blocks.
        outside_bytes: Memory of the process alone (USS) beside that and beside tracing: native
            code, thread stacks and what the allocators hold back; None where it is not known.
        open_files: File descriptors.
        threads: Threads.
    """

    heap_bytes: Growth
    heap_blocks: Growth
    outside_bytes: Growth | None
    open_files: Growth
    threads: Growth


@dataclass(frozen=True)
class GrowthPlaces:
    """What grew while a scenario was played on a target with its allocations traced.

    Attributes:
        trace_id: Its own.
        scenario: What was played.
        target: With its version and packages.
        seed: Of the workflows.
        in_flight: Workflows in flight.
        warm_up_workflows: That ended before the first snapshot.
        workflows: That ended in the traced intervals.
        failed: Those of them that did not end ok.
        intervals: Number of intervals of equal work.
        process: The process as a whole; None with a problem.
        places: That grew steadily, most bytes first.
        other_places: That grew and never shrank, slowing or in steps, most bytes first.
        changed_places: How many places changed at all.
        cost: Of tracing; None with a problem.
        problem: Why nothing can be named; empty if it can.
        warnings: Sentences that weaken the result.
    """

    trace_id: str
    scenario: str
    target: str
    seed: int
    in_flight: int
    warm_up_workflows: int = 0
    workflows: int = 0
    failed: int = 0
    intervals: int = 0
    process: ProcessGrowth | None = None
    places: tuple[GrowthPlace, ...] = ()
    other_places: tuple[GrowthPlace, ...] = ()
    changed_places: int = 0
    cost: TracingCost | None = None
    problem: str = ""
    warnings: tuple[str, ...] = ()
