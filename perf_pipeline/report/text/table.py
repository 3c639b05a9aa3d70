"""Cells, tables and facts: the parts that the HTML and the Markdown report are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from perf_pipeline.report.text.quantity import NOT_MEASURED

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.metrics.types.validity import Validity

WIDE_COLUMNS = 7

Tone = Literal["plain", "number", "code", "quiet", "good", "warn", "bad"]


@dataclass(frozen=True)
class Cell:
    """One value as the report shows it.

    Attributes:
        text: The value with its unit.
        tone: ``number`` is aligned to the right; ``good``, ``warn`` and ``bad`` are verdicts,
            whose text says the same as their colour; ``code`` is quoted output of a program.
        note: A remark shown with the value: an interval, a warning, or why it was not measured.
    """

    text: str
    tone: Tone = "plain"
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of one kind.

    Attributes:
        title: The subject of the table.
        columns: The column headers, one for each cell of a row.
        rows: The cells.
        validity: Validity of the numbers; None where each row has its own, or where nothing was
            measured.
        basis: The number of samples behind the numbers, as text.
        note: How to read the table, shown below it.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    validity: Validity | None = None
    basis: str = ""
    note: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether the table needs the whole width of the page to show all its columns."""
        return len(self.columns) >= WIDE_COLUMNS


@dataclass(frozen=True)
class Fact:
    """One line of a list of facts: a term and its value."""

    term: str
    cell: Cell


def number(text: str, note: str = "") -> Cell:
    """Return a cell with a number."""
    return Cell(text, "number", note)


def measured(value: float | None, form: Callable[[float], str], why: str) -> Cell:
    """Return ``value`` formatted by ``form``; for None, a cell "not measured" with the reason."""
    if value is None:
        return Cell(NOT_MEASURED, "quiet", why)
    return number(form(value))


def say_once(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return ``row`` with each reason for a missing value only at its first cell.

    Notes of numbers, such as "weak", are never removed.
    """
    shown: set[str] = set()
    cells = []
    for cell in row:
        is_repeated = cell.note in shown and cell.tone == "quiet"
        cells.append(replace(cell, note="") if is_repeated else cell)
        shown.add(cell.note)
    return tuple(cells)
