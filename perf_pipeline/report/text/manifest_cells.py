"""Formats values of the manifest for people; a missing value reads "not recorded"."""

from __future__ import annotations

from collections.abc import Mapping

from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact

MISSING = Cell(quantity.NOT_RECORDED, "quiet")


def facts_of(found: Mapping[str, object], without: tuple[str, ...] = ()) -> tuple[Fact, ...]:
    """Return a mapping of the manifest as facts; for an empty one, a fact "not recorded"."""
    if not found:
        return (Fact("", MISSING),)
    shown = ((key, value) for key, value in found.items() if key not in without)
    return tuple(Fact(escape.name(key), value_cell(value)) for key, value in shown)


def value_cell(value: object) -> Cell:
    """Return a value of the manifest as a cell."""
    if value is None:
        return MISSING
    if isinstance(value, Mapping):
        pairs = (f"{escape.name(key)} {value_text(inner)}" for key, inner in value.items())
        return Cell(", ".join(pairs) or "none")
    if isinstance(value, list | tuple):
        return Cell(", ".join(value_text(inner) for inner in value) or "none")
    return Cell(value_text(value))


def value_text(value: object) -> str:
    """Return a single value as text: ``not recorded`` for None, ``empty`` for an empty text."""
    if value is None:
        return quantity.NOT_RECORDED
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # whether a file says 20 or 20.0
    return escape.visible(value)
