"""What limits a level: one sentence for its top, and the evidence as tables."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from perf_pipeline.analysis.bottleneck.cores import CPU_LIMIT, CPU_OF_OTHERS, CPU_QUOTA
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, measured, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.bottleneck import Bottleneck, Evidence, Verdict
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.validity import Validity
    from perf_pipeline.report.run.cost import Cost

VERDICTS: dict[Verdict, str] = {
    "interpreter_lock": "interpreter lock",
    "cpu": "CPU",
    "connection_pool": "connection pool",
    "runtime_queue": "queue inside the runtime",
    "server": "a server",
    "disk": "disk",
    "generator": "load generator",
    "resource_exhaustion": "a resource that ran out",
    "unclear": "unclear",
}
FINER = {
    CPU_LIMIT: "CPU limit of the run",
    CPU_QUOTA: "CPU quota of the container",
    CPU_OF_OTHERS: "CPU, taken by others",
}
"""Causes outside of the worker processes, with the name that is shown for the verdict."""
NOTE = (
    "Required: what the value has to be for that cause. Of a cause that was not found, the line "
    "that rules it out. The thresholds were chosen, not fitted: judge the values yourself."
)
PARTS_NOTE = (
    "Share of the CPU time of a workflow, from the three ways of running the same workflows at "
    "this number in flight. It decides nothing here."
)
_COLUMNS = ("Cause", "Quantity", "Value", "Required", "Met")


def bottleneck_fact(bottleneck: Bottleneck) -> Fact:
    """Return the verdict with its sentence, for the top of a level."""
    name, why = _name(bottleneck), escape.visible(bottleneck.why)
    return Fact("Bottleneck", Cell(name, "quiet" if name == "unclear" else "plain", why))


def bottleneck_summary(level: LevelMetrics) -> str:
    """Return what limited a level, with the reason; empty if it is unknown."""
    if level.bottleneck is None:
        return ""
    is_sure = level.validity == "valid" or level.bottleneck.verdict == "resource_exhaustion"
    hint = "" if is_sure else f" (a hint: the level is {level.validity})"
    name, why = VERDICTS[level.bottleneck.verdict], escape.visible(level.bottleneck.why)
    return f"{name}{hint}: {why}"


def bottleneck_tables(
    level: LevelMetrics, bottleneck: Bottleneck, cost: Cost | None = None
) -> tuple[Table, ...]:
    """Return the tables of evidence.

    Args:
        level: The level.
        bottleneck: What limited it.
        cost: What the work, the runtime and its code nodes cost apart, shown where this level is
            one of the three that were compared.
    """
    causes = {
        cause: list(lines)
        for cause, lines in groupby(
            (each for each in bottleneck.evidence if each.cause), lambda each: each.cause
        )
    }
    rows = tuple(row for cause in causes for row in _cause_rows(cause, causes, bottleneck))
    beside = tuple(_beside_row(each) for each in bottleneck.evidence if not each.cause)
    tables = []
    if rows:
        title = f"What limits this level: {_name(bottleneck)}"
        note = f"{escape.visible(bottleneck.why)} {NOTE}"  # Markdown shows no facts of a level
        tables.append(Table(title, _COLUMNS, rows, level.validity, note=note))
    if beside:
        title = "Where the time and the cores went"
        tables.append(Table(title, ("Quantity", "Value"), beside, level.validity))
    return (*tables, *_parts(level, cost))


def _name(bottleneck: Bottleneck) -> str:
    """Return the verdict for people; the first evidence is what it rests on."""
    name = VERDICTS[bottleneck.verdict]
    if bottleneck.verdict == "unclear" or not bottleneck.evidence:
        return name
    cause = bottleneck.evidence[0].cause
    return cause if bottleneck.verdict == "resource_exhaustion" else FINER.get(cause, name)


def _cause_rows(
    cause: str, causes: dict[str, list[Evidence]], bottleneck: Bottleneck
) -> list[tuple[Cell, ...]]:
    """Return every line of the cause that was found, and of another the one that decides."""
    lines = causes[cause]
    found = cause == next(iter(causes))
    open_to_doubt = bottleneck.verdict == "unclear" and all(e.holds is not False for e in lines)
    if found or open_to_doubt:
        return [
            (Cell(escape.name(cause) if position == 0 else ""), *_line(each))
            for position, each in enumerate(lines)
        ]
    against = [each for each in lines if each.holds is False]
    unknown = [each for each in lines if each.holds is None]
    if not against and not unknown:
        follows = Cell("yes", "plain", f"follows from {escape.name(next(iter(causes)))}")
        return [(Cell(escape.name(cause)), *_line(lines[0])[:-1], follows)]
    return [(Cell(escape.name(cause)), *_line((against or unknown)[0]))]


def _line(evidence: Evidence) -> tuple[Cell, ...]:
    answers = {True: Cell("yes"), False: Cell("no"), None: Cell("not known", "quiet")}
    return (
        Cell(escape.visible(evidence.what)),
        _value(evidence),
        _needed(evidence),
        answers[evidence.holds],
    )


def _value(evidence: Evidence) -> Cell:
    def form(value: float) -> str:
        return quantity.of_unit(value, evidence.unit)

    return measured(evidence.value, form, "")


def _needed(evidence: Evidence) -> Cell:
    bounds = (("≥", evidence.minimum), ("≤", evidence.maximum))
    shown = [
        f"{sign} {quantity.of_unit(bound, evidence.unit)}"
        for sign, bound in bounds
        if bound is not None
    ]
    return number(" and ".join(shown)) if shown else Cell("a limit that is not known", "quiet")


def _beside_row(evidence: Evidence) -> tuple[Cell, ...]:
    return (Cell(escape.visible(evidence.what)), _value(evidence))


def _parts(level: LevelMetrics, cost: Cost | None) -> tuple[Table, ...]:
    """Return how the CPU time of a workflow divides, if this level is one of those compared."""
    if cost is None or level not in cost.ways.values():
        return ()
    known = [part.cpu_s for part in cost.parts if part.cpu_s is not None]
    total = sum(known) if len(known) == len(cost.parts) else None
    rows = tuple((Cell(part.what), _share(part.cpu_s, total, part.why_not)) for part in cost.parts)
    validity: Validity | None = level.validity if total else None
    columns = ("Part", "Share of the CPU time")
    return (Table("Runtime, nodes and work", columns, rows, validity, note=PARTS_NOTE),)


def _share(seconds: float | None, total: float | None, why_not: str) -> Cell:
    if seconds is None or not total:
        return Cell(quantity.NOT_MEASURED, "quiet", escape.visible(why_not))
    return number(quantity.percent(100 * seconds / total))
