"""Lines of a terminal: whole words within its width, and tables whose columns fit it."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from perf_pipeline.cli.lines.terminal import inert, show

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WIDTH_MAX = 100
"""Columns of a line; a narrower terminal has fewer, a file has these."""

INDENT = "  "
_UNIT = re.compile(r"(?<=\d) (?=(?:us|ms|s|%|MB)\b|%)")


def line_width(*, as_json: bool) -> int:
    """Return the columns that a line may have where it is printed."""
    stream = sys.stderr if as_json else sys.stdout
    if not stream.isatty():
        return WIDTH_MAX
    return min(shutil.get_terminal_size((WIDTH_MAX, 25)).columns, WIDTH_MAX)


def show_wrapped(texts: Iterable[str], *, as_json: bool, indent: str = INDENT) -> None:
    """Print each text as lines of whole words; those after its first are indented."""
    width = line_width(as_json=as_json)
    for text in texts:
        for line in wrapped(text, width, indent=indent):
            show(line, as_json=as_json)


def wrapped(text: str, width: int, lines_max: int = 0, indent: str = INDENT) -> list[str]:
    """Return a text as lines of whole words, a number beside its unit.

    Args:
        text: Of any origin.
        width: Columns of a line; a single longer word is not broken.
        lines_max: What is beyond is left out, which an ellipsis shows; 0 for no limit.
        indent: Of every line but the first.
    """
    joined = _UNIT.sub("\N{NO-BREAK SPACE}", inert(text))
    lines = textwrap.wrap(
        joined,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        max_lines=lines_max or None,
        placeholder=" …",
    )
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines]


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """Lay out rows of text in columns; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def fitting(rows: Sequence[tuple[str, ...]], width: int, by_importance: Iterable[int]) -> str:
    """Lay out those columns that fit a width, the most important ones, in their own order.

    Args:
        rows: The first row is the heading.
        width: Columns of a line; the most important column is shown even if it is wider.
        by_importance: Places of the columns, the most important one first.
    """
    chosen: list[int] = []
    laid_out = ""
    for place in by_importance:
        more = sorted([*chosen, place])
        tried = table([tuple(inert(row[at]) for at in more) for row in rows])
        if chosen and max(map(len, tried.splitlines())) > width:
            break
        chosen, laid_out = more, tried
    return laid_out
