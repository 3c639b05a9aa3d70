"""The tables of a comparison, and its answers: did it get worse, and what to do."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compared_metric import PRIMARY
from perf_pipeline.report.run.answers import Verdict
from perf_pipeline.report.text import changes as words
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.comparison import (
        Change,
        ComparedSide,
        Comparison,
        ComparisonVerdict,
        Severity,
    )

ROWS_MAX = 1000
"""Changes in one table of the page; the comparison's JSON has all."""

RUNS_NAMED_MAX = 12
NAMED_MAX = 3
"""Changes that the answer on top names."""

ORDER: tuple[ComparisonVerdict, ...] = (
    "regression",
    "unstable",
    "improvement",
    "no_change",
    "no_data",
)
_SEVERITIES: tuple[Severity, ...] = ("critical", "major", "minor", "none")
_PHRASES: dict[ComparisonVerdict, str] = {
    "regression": "got worse",
    "unstable": "may have changed (unstable)",
    "improvement": "got better",
    "no_change": "did not change",
    "no_data": "could not be compared",
}
_ACTIONS: dict[ComparisonVerdict, str] = {
    "regression": "find the cause before it ships",
    "unstable": "measure more: nothing is decided",
    "improvement": "nothing stands against it",
    "no_change": "nothing stands against it",
    "no_data": "measure again: nothing was compared",
}
CHANGES_NOTE = (
    "Change: candidate against baseline; of a share in percentage points. Baseline and "
    "candidate: median of the runs. Interval and p are corrected for the number of metrics. "
    "Unstable: the interval holds both a change that matters and none."
)


def by_weight(changes: Sequence[Change]) -> list[Change]:
    """Return changes, those first that a decision depends on: of equal ones the primary metrics."""
    return sorted(changes, key=_weight)


def _weight(change: Change) -> tuple[int, int, bool, float]:
    is_primary = not change.family and change.metric in PRIMARY
    size = 0.0 if change.effect is None else words.better_percent(change, change.effect)
    return (
        ORDER.index(change.verdict),
        _SEVERITIES.index(change.severity),
        not is_primary,
        -abs(size) if change.verdict != "regression" else size,
    )


def answers(comparison: Comparison) -> tuple[Verdict, Verdict]:
    """Return whether it got worse, and what to do."""
    return (
        Verdict("Did it get worse?", verdict_cell(comparison), tuple(_moved(comparison))),
        Verdict(
            "What to do?",
            Cell(_ACTIONS[comparison.verdict], words.TONES[comparison.verdict]),
            tuple(map(escape.visible, comparison.recommendations)),
        ),
    )


def verdict_cell(comparison: Comparison) -> Cell:
    """Return the verdict on the whole, with the severity of a regression."""
    verdict = comparison.verdict.replace("_", " ")
    severity = "" if comparison.severity == "none" else f", {comparison.severity}"
    return Cell(f"{verdict}{severity}", words.TONES[comparison.verdict])


def _moved(comparison: Comparison) -> list[str]:
    moved = largest_changes(comparison)[:NAMED_MAX]
    counts = Counter(one.verdict for one in comparison.changes)
    counted = ", ".join(f"{counts[one]} {_PHRASES[one]}" for one in ORDER if counts[one])
    named = "; ".join(map(words.in_short, moved))
    total = f"Of {quantity.counted(len(comparison.changes), 'metric')}: {counted or 'none'}."
    return [f"{named}.", total] if named else [total]


def largest_changes(comparison: Comparison) -> list[Change]:
    """Return the changes that the verdict on the whole rests on, those first that weigh most."""
    first = by_weight(comparison.changes)
    if comparison.verdict in ("no_change", "no_data"):
        return []
    moved = [one for one in first if one.verdict == comparison.verdict]
    # Unstable without an undecided metric: one that decides was not measured on one side.
    return moved or [one for one in first if one.verdict == "no_data"]


def changes_table(title: str, changes: Sequence[Change]) -> Table:
    """Return one row for each change, in the order given."""
    has_families = any(one.family for one in changes)
    columns = ("Metric", "Level", *(("Family",) if has_families else ()), "Verdict", "Change")
    rows = tuple(_row(one, has_families=has_families) for one in changes[:ROWS_MAX])
    left_out = len(changes) - len(rows)
    note = CHANGES_NOTE
    if left_out:
        note += f" Not shown: {quantity.counted(left_out, 'metric')} more."
    return Table(title, (*columns, "Interval", "Baseline", "Candidate", "p"), rows, note=note)


def _row(change: Change, *, has_families: bool) -> tuple[Cell, ...]:
    nothing = Cell(quantity.NOT_MEASURED, "quiet")
    interval = words.interval_text(change)
    return (
        Cell(words.metric_name(change.metric)),
        Cell(escape.name(change.level)),
        *((Cell(escape.name(change.family) or "all"),) if has_families else ()),
        Cell(words.verdict_text(change), words.TONES[change.verdict], words.reason(change)),
        nothing if change.effect is None else number(words.effect_text(change.effect, change.kind)),
        number(interval) if interval else Cell("none", "quiet"),
        _side(change.baseline, change.unit),
        _side(change.candidate, change.unit),
        Cell("none", "quiet") if change.p is None else number(_p(change.p)),
    )


def _side(values: Sequence[float | None], unit: str) -> Cell:
    """Return the median of the runs of one side, and how many runs have a value."""
    known = [value for value in values if value is not None]
    if not known:
        return Cell(quantity.NOT_MEASURED, "quiet")
    runs = quantity.counted(len(values), "run")
    note = runs if len(known) == len(values) else f"{len(known)} of {runs}"
    return number(words.value_text(median(known), unit), note)


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"  # noqa: PLR2004 - three decimals


def counted_runs(comparison: Comparison, side: ComparedSide) -> str:
    """Return how many runs a side has; of an interleaved one, which is one run, its levels."""
    if not comparison.paired:
        return quantity.counted(len(side.runs), "run")
    levels = max((len(one.baseline) for one in comparison.changes), default=0)
    return f"{quantity.counted(levels, 'level')} in pairs"


def differences_table(comparison: Comparison) -> Table:
    """Return what differs between the sides, and why that did not prevent the comparison."""
    rows = tuple(
        (
            Cell(escape.name(one.what)),
            Cell(escape.visible(one.baseline), "code"),
            Cell(escape.visible(one.candidate), "code"),
            Cell("overridden", "warn", f"--despite {escape.name(one.what)}")
            if one.despite
            else Cell("under test" if one.under_test else "noted"),
        )
        for one in comparison.differences
    )
    note = (
        "Everything else that must match does: scenario, target, nodes, data, machine, servers, "
        "settings, packages. What was overridden may explain a change by itself."
    )
    return Table("What differs", ("What", "Baseline", "Candidate", "Role"), rows, note=note)


def sides_table(comparison: Comparison) -> Table:
    """Return what each side is made of."""
    sides = (comparison.baseline, comparison.candidate)
    rows = (
        (Cell("Asked for as"), *(Cell(escape.name(side.name)) for side in sides)),
        (Cell("Target"), *(Cell(escape.visible(side.target)) for side in sides)),
        (Cell("Runs"), *(_runs(side) for side in sides)),
        (Cell("Validity"), *(_validities(side) for side in sides)),
    )
    note = (
        "Runs at the same position were measured one after the other (interleaved)."
        if comparison.paired
        else ""
    )
    return Table("The two sides", ("", "Baseline", "Candidate"), rows, note=note)


def _runs(side: ComparedSide) -> Cell:
    named = ", ".join(map(escape.name, side.runs[-RUNS_NAMED_MAX:]))
    older = len(side.runs) - RUNS_NAMED_MAX
    return Cell(str(len(side.runs)), note=f"{older} older, {named}" if older > 0 else named)


def _validities(side: ComparedSide) -> Cell:
    named = ", ".join(map(escape.name, side.validities)) or "none"
    return Cell(named, "good" if side.validities == ("valid",) else "warn")
