"""The parts that every form of the report is made of: cells, tables, facts."""

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
    """One value as it is read.

    Attributes:
        text: The value with its unit.
        tone: ``number`` stands to the right; ``good``, ``warn`` and ``bad`` are verdicts, whose
            text says the same as their colour; ``code`` is what a machine said.
        note: What must be known beside it: a warning, or why it was not measured.
    """

    text: str
    tone: Tone = "plain"
    note: str = ""


@dataclass(frozen=True)
class Table:
    """Rows of one kind, with what they rest on.

    Attributes:
        title: What the rows are.
        columns: Heads, as many as every row has cells.
        rows: The cells.
        validity: Whether the numbers are a measurement; None where each row says so itself, or
            where nothing was measured.
        basis: How many samples the numbers rest on, in words.
        note: How to read it, below the table.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    validity: Validity | None = None
    basis: str = ""
    note: str = ""

    @property
    def wide(self) -> bool:
        """Whether it needs the page's whole width: in half of it, columns would be out of sight."""
        return len(self.columns) >= WIDE_COLUMNS


@dataclass(frozen=True)
class Fact:
    """One line of a list of facts: a term and what holds for it."""

    term: str
    cell: Cell


def number(text: str, note: str = "") -> Cell:
    """Return a cell that holds a number."""
    return Cell(text, "number", note)


def measured(value: float | None, form: Callable[[float], str], why: str) -> Cell:
    """Return ``value`` as ``form`` writes it, or that it was not measured and ``why``."""
    if value is None:
        return Cell(NOT_MEASURED, "quiet", why)
    return number(form(value))


def say_once(row: tuple[Cell, ...]) -> tuple[Cell, ...]:
    """Return ``row`` with each reason only where it stands for the first time.

    What stands beside a number is its own, and stays: another number with the same is as weak.
    """
    said: set[str] = set()
    cells = []
    for cell in row:
        again = cell.note in said and cell.tone == "quiet"
        cells.append(replace(cell, note="") if again else cell)
        said.add(cell.note)
    return tuple(cells)
