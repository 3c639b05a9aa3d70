"""Values of a manifest as people read them; what is not there is called so."""

from __future__ import annotations

from collections.abc import Mapping

from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact

MISSING = Cell(quantity.NOT_RECORDED, "quiet")


def facts_of(found: Mapping[str, object], without: tuple[str, ...] = ()) -> tuple[Fact, ...]:
    """Return a mapping of the manifest as facts; an empty one is said to be not recorded."""
    if not found:
        return (Fact("", MISSING),)
    kept = ((key, value) for key, value in found.items() if key not in without)
    return tuple(Fact(escape.name(key), plain(value)) for key, value in kept)


def plain(value: object) -> Cell:
    """Return a value of the manifest as a cell."""
    if value is None:
        return MISSING
    if isinstance(value, Mapping):
        inside = (f"{escape.name(key)} {said(held)}" for key, held in value.items())
        return Cell(", ".join(inside) or "none")
    if isinstance(value, list | tuple):
        return Cell(", ".join(said(held) for held in value) or "none")
    return Cell(said(value))


def said(value: object) -> str:
    """Return a value in a word; nothing and emptiness have words of their own."""
    if value is None:
        return quantity.NOT_RECORDED
    if value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # whether a file says 20 or 20.0
    return escape.visible(value)
