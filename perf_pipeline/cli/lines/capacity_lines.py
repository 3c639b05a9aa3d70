"""What a search for capacity found, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.capacity import NOT_REACHED
from perf_pipeline.cli.lines.lines import fitting, wrapped
from perf_pipeline.report.run.capacity_page import facts, steps_table

if TYPE_CHECKING:
    from perf_pipeline.analysis.capacity import CapacityFinding

_LAST = ("In flight", "Little's law", "Steady phase", "Level")
"""Columns of the steps that are left out first."""
_SHOWN_ABOVE = ("Objectives", "Between")


def capacity_lines(finding: CapacityFinding, width: int, *, explain: bool = False) -> list[str]:
    """Return the answer, what casts doubt on it, and the knee.

    Args:
        finding: What was found.
        width: Columns of a line.
        explain: Add the figures at the capacity, every step, and what the words mean.
    """
    texts = [finding.summary, *([finding.noise] if finding.noise else []), _knee(finding)]
    lines = [line for text in texts if text for line in wrapped(text, width)]
    if not explain:
        return lines
    more = [
        f"{fact.term}: {fact.cell.text}" + (f" ({fact.cell.note})" if fact.cell.note else "")
        for fact in facts(finding)
        if fact.term not in _SHOWN_ABOVE
    ]
    lines += [line for text in more for line in wrapped(text, width)]
    return [*lines, "", *_steps(finding, width)]


def _knee(finding: CapacityFinding) -> str:
    knee = finding.knee
    if knee is None:
        return ""
    if not knee.is_reached:
        return f"no knee was reached: {NOT_REACHED}"
    return f"knee at {knee.in_flight:.4g} in flight: {knee.per_s:.4g}/s x {knee.time_s:.4g} s"


def _steps(finding: CapacityFinding, width: int) -> list[str]:
    """Return a row for each step, and what its columns mean."""
    steps = steps_table(finding)
    if not steps.rows:
        return []
    rows = [steps.columns, *(tuple(cell.text for cell in row) for row in steps.rows)]
    places = range(len(steps.columns))
    important = [at for at in places if steps.columns[at] not in _LAST]
    last = [steps.columns.index(name) for name in _LAST]
    why = [f"{row[0].text}, {row[2].text}: {row[2].note}" for row in steps.rows if row[2].note]
    return [
        *fitting(rows, width, [*important, *last]).splitlines(),
        *(line for text in (*why, steps.note) for line in wrapped(text, width)),
    ]
