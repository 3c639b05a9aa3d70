"""Lines for people, printed so that a terminal obeys nothing in them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from perf_pipeline.report.charts.address_space import why_not_drawn
from perf_pipeline.report.text.escape import visible

if TYPE_CHECKING:
    from pathlib import Path


def show(text: str = "", *, as_json: bool) -> None:
    """Print a line for people; on standard error when standard output is for a program.

    Text of unknown origin is made inert: invisible characters are spelled out.
    """
    print(inert(text), file=sys.stderr if as_json else sys.stdout, flush=True)


def show_report(page: Path, *, as_json: bool) -> None:
    """Print where a report is, and why it lacks its charts, if it does."""
    if why := why_not_drawn():
        show(why, as_json=as_json)
    show(f"report: {page}", as_json=as_json)


def inert(text: str) -> str:
    """Return text of several lines without anything that a terminal would obey."""
    return "\n".join(visible(line, length_max=max(len(line), 1)) for line in text.split("\n"))
