"""What the work costs, what the runtime adds, and what its code nodes add.

The same workflows run three times at the same number in flight: as plain function calls
(control), as lean nodes, and as code nodes. While a worker process always has something to do,
it spends ``processes / throughput`` seconds on a workflow, and the differences of the three are
what the runtime and its code nodes add. This includes the time in which the worker waited for a
server or for a core, which is what a user of that machine would wait as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.targets import runs_own_code
from perf_pipeline.report.level import level_cells
from perf_pipeline.report.text import labels, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

Way = Literal["control", "lean", "code"]

WAYS: dict[Way, str] = {
    "control": "without a runtime",
    "lean": "with lean nodes",
    "code": "with code nodes",
}
FORMULA = (
    "Process time per workflow = worker processes / throughput, of one process; time spent "
    "waiting for servers or for a core is in it. Failed workflows cost time as well, so an error "
    "share above 0 raises it. CPU time per workflow = mean CPU of all workers / throughput. "
    "A part is a difference of two runs that are both valid, or it is not given."
)


@dataclass(frozen=True)
class Part:
    """One part of what a workflow costs.

    Attributes:
        what: The part.
        seconds: Of one worker process per workflow; None when it cannot be told.
        why_not: Why it cannot be told; empty when it can.
    """

    what: str
    seconds: float | None
    why_not: str = ""


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


def is_asked(metrics: RunMetrics) -> bool:
    """Return whether the ways of running the same workflows can be compared at all.

    Functions of a user's own run in one way only.
    """
    return not metrics.levels or not all(map(runs_own_code, metrics.levels))


def cost_of(metrics: RunMetrics) -> Cost:
    """Tell the three parts of a workflow's cost apart, as far as valid levels allow."""
    found = {way: _levels_of(metrics, way) for way in WAYS}
    concurrency = _shared_concurrency(found)
    ways = {
        way: next((level for level in levels if level.concurrency == concurrency), None)
        for way, levels in found.items()
    }
    times: dict[Way, float | str] = {}
    for way, level in ways.items():
        if level is None:
            times[way] = _why_missing(way, concurrency, found[way])
        else:
            times[way] = process_seconds(metrics, level)
    control = times["control"]
    work = (
        Part("the work itself", control)
        if isinstance(control, float)
        else Part("the work itself", None, control)
    )
    parts = (
        work,
        _difference("what the runtime adds", times["lean"], times["control"]),
        _difference("what its code nodes add", times["code"], times["lean"]),
    )
    return Cost(concurrency, ways, parts)


def process_seconds(metrics: RunMetrics, level: LevelMetrics) -> float | str:
    """Return seconds of one worker process per workflow, or why that cannot be told."""
    name = labels.level_name(level)
    if level.loop == "open":
        return f"{name} is an open loop, in which processes have nothing to do between arrivals"
    if level.validity != "valid":
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
    """Return the three ways side by side, and the parts."""
    heads = ("Executed", "Level", "Validity", "Samples", "Throughput", "Errors")
    columns = (*heads, "Process time", "CPU time")
    rows = tuple(_way_row(metrics, way, level) for way, level in cost.ways.items())
    at = "" if cost.concurrency is None else f" at {quantity.count(cost.concurrency)} in flight"
    given = any(part.seconds is not None for part in cost.parts)
    title = f"The parts of one workflow{at}"
    return (
        Table(title, ("Part", "Process time", "Share"), _parts(cost), "valid" if given else None),
        Table(f"The same workflows, three ways{at}", columns, rows, note=FORMULA),
    )


def _parts(cost: Cost) -> tuple[tuple[Cell, ...], ...]:
    known = [part.seconds for part in cost.parts if part.seconds is not None]
    total = sum(known) if len(known) == len(cost.parts) else None
    rows = []
    for part in cost.parts:
        value = Cell("not given", "quiet", part.why_not)
        if part.seconds is not None:
            below = "below zero: smaller than this run's noise" if part.seconds < 0 else ""
            value = number(quantity.seconds(part.seconds), below)
        share = Cell("", "quiet")
        if total is not None and part.seconds is not None:
            share = number(quantity.percent(100 * part.seconds / total))
        rows.append((Cell(part.what), value, share))
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
        process or Cell("not given", "quiet", str(spent)),
        _cpu_cell(level),
    )


def _cpu_cell(level: LevelMetrics) -> Cell:
    cpu_percent = level.resources.workers_cpu_mean_percent
    if cpu_percent is None:
        why = level.not_measured.get("avg_cpu_percent", "the workers' CPU was not sampled")
        return Cell(quantity.NOT_MEASURED, "quiet", why)
    if not level.throughput_per_s:
        return Cell("not given", "quiet", "no throughput")
    return number(quantity.seconds(cpu_percent / 100 / level.throughput_per_s))


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
    held = [{level.concurrency for level in levels} for levels in found.values()]
    shared = {n: sum(n in numbers for numbers in held) for n in set().union(*held)}
    return min(shared, key=lambda n: (-shared[n], n), default=None)


def _why_missing(way: Way, concurrency: int | None, others: list[LevelMetrics]) -> str:
    if not others:
        return f"nothing ran {WAYS[way]}"
    elsewhere = ", ".join(quantity.count(level.concurrency) for level in others)
    return f"{WAYS[way]} it ran at {elsewhere} in flight, not at {concurrency}: not comparable"


def _difference(what: str, upper: float | str, lower: float | str) -> Part:
    if isinstance(upper, float) and isinstance(lower, float):
        return Part(what, upper - lower)
    whys = dict.fromkeys(time for time in (upper, lower) if isinstance(time, str))
    return Part(what, None, "; ".join(whys))
