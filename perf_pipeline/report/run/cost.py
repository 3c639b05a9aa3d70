"""What the work costs, what the runtime adds, and what its code nodes add.

The same workflows run three times at the same number in flight: as plain function calls
(control), as lean nodes, and as code nodes. The CPU time that a workflow takes in each of them is
compared; the differences are what the runtime and its code nodes cost. CPU time hardly depends on
other programs, so it is given beside a noisy neighbour as well.

Process time is shown beside it. While a worker process always has something to do, it spends
``processes / throughput`` seconds on a workflow. This includes the time in which the worker waited
for a server or for a core, so a neighbour lengthens it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.beside_neighbours import is_judged
from perf_pipeline.analysis.targets import has_no_runtime, runs_own_code
from perf_pipeline.report.level import level_cells
from perf_pipeline.report.text import labels, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.metrics.types.cpu_use import CpuPerWorkflow
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.validity import Validity

Way = Literal["control", "lean", "code"]

WAYS: dict[Way, str] = {
    "control": "without a runtime",
    "lean": "with lean nodes",
    "code": "with code nodes",
}
FORMULA = (
    "CPU time per workflow = CPU seconds of all worker processes / workflows that ended ok in the "
    "steady phase, with its 95 % interval. Process time per workflow = worker processes / "
    "throughput: it includes waiting for servers and for a core. Failed workflows cost time as "
    "well, so an error share above 0 raises both. A part is the difference of two levels that "
    "are valid, or would be without other programs on the machine."
)
AFFECTED = (
    "Other programs used the machine meanwhile. They hardly change CPU time; throughput and "
    "process time are affected."
)


@dataclass(frozen=True)
class Part:
    """One part of what a workflow costs.

    Attributes:
        what: The part.
        cpu_s: CPU seconds per workflow; None when they are not known.
        low_s: Lower end of the 95 % interval of ``cpu_s``; None without one.
        high_s: Upper end, likewise.
        process_s: Seconds of one worker process per workflow; None when they are not known.
        why_not: Why ``cpu_s`` is not known; empty when it is.
    """

    what: str
    cpu_s: float | None
    low_s: float | None = None
    high_s: float | None = None
    process_s: float | None = None
    why_not: str = ""

    @property
    def interval(self) -> str:
        """The 95 % interval of ``cpu_s`` for people; empty without one."""
        if self.low_s is None or self.high_s is None:
            return ""
        return quantity.between(self.low_s, self.high_s, "s")


@dataclass(frozen=True)
class Cost:
    """The three ways of running the same workflows, and the parts that follow.

    Attributes:
        concurrency: Workflows in flight at which they are compared; None without any level.
        ways: The level that ran each way at that concurrency; None where there was none.
        parts: The work, what the runtime adds, what its code nodes add.
    """

    concurrency: int | None
    ways: Mapping[Way, LevelMetrics | None]
    parts: tuple[Part, ...]

    @property
    def is_beside_neighbours(self) -> bool:
        """Whether other programs used the machine during a level that is compared."""
        return any(level is not None and level.is_only_noisy for level in self.ways.values())


def is_asked(metrics: RunMetrics) -> bool:
    """Return whether the ways of running the same workflows can be compared at all.

    Functions of a user's own run in one way only, and the control target alone has no runtime
    whose cost it could show.
    """
    levels = metrics.levels
    return not levels or not (all(map(runs_own_code, levels)) or all(map(has_no_runtime, levels)))


def cost_of(metrics: RunMetrics) -> Cost:
    """Split the cost of a workflow into its parts, as far as the levels allow."""
    found = {way: _levels_of(metrics, way) for way in WAYS}
    concurrency = _shared_concurrency(found)
    ways = {
        way: next((level for level in levels if level.concurrency == concurrency), None)
        for way, levels in found.items()
    }
    costs: dict[Way, Part] = {}
    for way, level in ways.items():
        if level is None:
            why = _why_missing(way, concurrency, found[way])
            costs[way] = Part(WAYS[way], None, why_not=why)
        else:
            costs[way] = _of_level(metrics, way, level)
    control = costs["control"]
    work = Part(
        "the work itself",
        *(control.cpu_s, control.low_s, control.high_s, control.process_s, control.why_not),
    )
    parts = (
        work,
        _difference("what the runtime adds", costs["lean"], costs["control"]),
        _difference("what its code nodes add", costs["code"], costs["lean"]),
    )
    return Cost(concurrency, ways, parts)


def cpu_time(level: LevelMetrics) -> CpuPerWorkflow | str:
    """Return the CPU time per workflow of a level, or why a cost cannot rest on it."""
    name = labels.level_name(level)
    if not is_judged(level):
        return f"{name} is {level.validity}"
    found = level.cpu_per_workflow
    if found is None or found.seconds is None:
        why = "there was no steady phase" if found is None else found.why_not
        return f"CPU time of {name} was not measured: {why}"
    return found


def process_seconds(metrics: RunMetrics, level: LevelMetrics) -> float | str:
    """Return seconds of one worker process per workflow, or why they are not known."""
    name = labels.level_name(level)
    if level.loop == "open":
        return f"{name} is an open loop, in which processes have nothing to do between arrivals"
    if not is_judged(level):
        return f"{name} is {level.validity}"
    if not level.throughput_per_s:
        return f"{name} has no throughput"
    processes = worker_processes(metrics, level)
    if not processes:
        return f"how many worker processes {name} had was not recorded"
    return processes / level.throughput_per_s


def worker_processes(metrics: RunMetrics, level: LevelMetrics) -> int:
    """Return how many worker processes a level had; 0 when that was not recorded."""
    return metrics.manifest.processes or len({end.worker for end in level.workers})


def cost_tables(metrics: RunMetrics, cost: Cost) -> tuple[Table, ...]:
    """Return the parts, and the three ways side by side."""
    heads = ("Executed", "Level", "Validity", "Samples", "Throughput", "Errors")
    columns = (*heads, "CPU time", "Process time")
    rows = tuple(_way_row(metrics, way, level) for way, level in cost.ways.items())
    at = "" if cost.concurrency is None else f" at {quantity.count(cost.concurrency)} in flight"
    note = f"{AFFECTED} {FORMULA}" if cost.is_beside_neighbours else FORMULA
    title = f"The parts of one workflow{at}"
    parts = ("Part", "CPU time", "Share", "Process time")
    validity: Validity | None = None
    if any(part.cpu_s is not None for part in cost.parts):
        validity = "noisy_host" if cost.is_beside_neighbours else "valid"
    return (
        Table(title, parts, _part_rows(cost), validity),
        Table(f"The same workflows, three ways{at}", columns, rows, note=note),
    )


def _part_rows(cost: Cost) -> tuple[tuple[Cell, ...], ...]:
    known = [part.cpu_s for part in cost.parts if part.cpu_s is not None]
    total = sum(known) if len(known) == len(cost.parts) else None
    rows = []
    for part in cost.parts:
        value = Cell("not given", "quiet", part.why_not)
        if part.cpu_s is not None:
            below = "below zero: smaller than this run's noise" if part.cpu_s < 0 else part.interval
            value = number(quantity.seconds(part.cpu_s), below)
        share = Cell("", "quiet")
        if total is not None and part.cpu_s is not None:
            share = number(quantity.percent(100 * part.cpu_s / total))
        process = Cell("not given", "quiet")
        if part.process_s is not None:
            affected = "affected by other programs" if cost.is_beside_neighbours else ""
            process = number(quantity.seconds(part.process_s), affected)
        rows.append((Cell(part.what), value, share, process))
    return tuple(rows)


def _way_row(metrics: RunMetrics, way: Way, level: LevelMetrics | None) -> tuple[Cell, ...]:
    if level is None:
        none = (Cell("", "quiet"),) * 6
        return (Cell(WAYS[way]), Cell("not run", "quiet"), *none)
    spent = process_seconds(metrics, level)
    process = number(quantity.seconds(spent)) if isinstance(spent, float) else None
    return (
        Cell(WAYS[way]),
        Cell(labels.level_name(level)),
        labels.validity_of(level),
        level_cells.samples_cell(level.service_times),
        level_cells.throughput_cell(level),
        level_cells.error_cell(level),
        level_cells.cpu_cell(level),
        process or Cell("not given", "quiet", str(spent)),
    )


def _of_level(metrics: RunMetrics, way: Way, level: LevelMetrics) -> Part:
    cpu, process = cpu_time(level), process_seconds(metrics, level)
    process_s = process if isinstance(process, float) else None
    if isinstance(cpu, str):
        return Part(WAYS[way], None, process_s=process_s, why_not=cpu)
    return Part(WAYS[way], cpu.seconds, cpu.low_s, cpu.high_s, process_s)


def _levels_of(metrics: RunMetrics, way: Way) -> list[LevelMetrics]:
    # Arms run after the first repeat: it is the nearest to them in time.
    first = [level for level in metrics.levels if level.repeat == 0]
    first = [level for level in first if level.loop == "closed"] or first
    if way == "control":
        return [level for level in first if level.target == "control"]
    runtimes = [level.target for level in first if level.target != "control"]
    return [level for level in first if level.target in runtimes[:1] and level.nodes == way]


def _shared_concurrency(found: Mapping[Way, list[LevelMetrics]]) -> int | None:
    """Return the number in flight that most of the three ways ran at; the lowest of several."""
    numbers = [{level.concurrency for level in levels} for levels in found.values()]
    shared = {n: sum(n in each for each in numbers) for n in set().union(*numbers)}
    return min(shared, key=lambda n: (-shared[n], n), default=None)


def _why_missing(way: Way, concurrency: int | None, others: list[LevelMetrics]) -> str:
    if not others:
        return f"nothing ran {WAYS[way]}"
    elsewhere = ", ".join(quantity.count(level.concurrency) for level in others)
    return f"{WAYS[way]} it ran at {elsewhere} in flight, not at {concurrency}: not comparable"


def _difference(what: str, upper: Part, lower: Part) -> Part:
    """Return what the upper way costs more than the lower one."""
    process_s = None
    if upper.process_s is not None and lower.process_s is not None:
        process_s = upper.process_s - lower.process_s
    if upper.cpu_s is None or lower.cpu_s is None:
        whys = dict.fromkeys(part.why_not for part in (upper, lower) if part.why_not)
        return Part(what, None, process_s=process_s, why_not="; ".join(whys))
    cpu_s = upper.cpu_s - lower.cpu_s
    halves = [_half_s(part) for part in (upper, lower)]
    known = [half for half in halves if half is not None]
    if len(known) < len(halves):
        return Part(what, cpu_s, process_s=process_s)
    half_s = math.hypot(*known)  # the two levels are independent of each other
    return Part(what, cpu_s, cpu_s - half_s, cpu_s + half_s, process_s)


def _half_s(part: Part) -> float | None:
    if part.low_s is None or part.high_s is None:
        return None
    return (part.high_s - part.low_s) / 2
