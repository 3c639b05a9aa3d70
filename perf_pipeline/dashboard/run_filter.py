"""Which runs the overview shows: those of a scenario, a target or a verdict, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.dashboard.run_rows import RunRow

PAGE_ROWS = 50
"""Runs on a page."""
_DIGITS_MAX = 6


@dataclass(frozen=True)
class RunFilter:
    """What a reader asks for.

    Attributes:
        scenario: Its name; empty for all, and so below.
        target: What executed the workflows.
        verdict: The verdict or status.
        page: From 1.
    """

    scenario: str = ""
    target: str = ""
    verdict: str = ""
    page: int = 1

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Self:
        """Read the fields of an address; a page that is no number is the first."""
        page = query.get("page", "")
        is_number = page.isascii() and page.isdecimal() and len(page) <= _DIGITS_MAX
        return cls(
            query.get("scenario", ""),
            query.get("target", ""),
            query.get("verdict", ""),
            max(1, int(page)) if is_number else 1,
        )

    @property
    def is_any(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.scenario or self.target or self.verdict)

    def fits(self, row: RunRow) -> bool:
        """Return whether a run is asked for."""
        return (
            self.scenario in ("", row.scenario)
            and self.target in ("", row.target)
            and self.verdict in ("", row.verdict.text)
        )

    def address(self, page: int) -> str:
        """Return the address of another page of the same runs."""
        fields = {"scenario": self.scenario, "target": self.target, "verdict": self.verdict}
        asked = {name: value for name, value in fields.items() if value}
        return f"/?{urlencode(asked | {'page': str(page)}, errors='replace')}"


class Choice(NamedTuple):
    """One field of the filter: its name, what can be chosen, and what is."""

    name: str
    values: tuple[str, ...]
    chosen: str


class FilteredRuns(NamedTuple):
    """A page of runs.

    Attributes:
        rows: The runs.
        fitting: How many fit.
        total: How many there are.
        choices: The fields of the filter.
        is_filtered: Whether some were left out.
        newer: Address of the page before; empty for none.
        older: Of the page after.
        page: Its number, from 1.
        pages: How many there are.
    """

    rows: tuple[RunRow, ...]
    fitting: int
    total: int
    choices: tuple[Choice, ...]
    is_filtered: bool
    newer: str
    older: str
    page: int
    pages: int


def filtered_runs(rows: Sequence[RunRow], asked: RunFilter) -> FilteredRuns:
    """Return the page of runs that a reader asks for; behind the last page the last one."""
    fitting = [row for row in rows if asked.fits(row)]
    pages = max(1, -(-len(fitting) // PAGE_ROWS))
    page = min(asked.page, pages)
    begin = (page - 1) * PAGE_ROWS
    return FilteredRuns(
        rows=tuple(fitting[begin : begin + PAGE_ROWS]),
        fitting=len(fitting),
        total=len(rows),
        choices=(
            _choice("scenario", [row.scenario for row in rows], asked.scenario),
            _choice("target", [row.target for row in rows], asked.target),
            _choice("verdict", [row.verdict.text for row in rows], asked.verdict),
        ),
        is_filtered=asked.is_any,
        newer=asked.address(page - 1) if page > 1 else "",
        older=asked.address(page + 1) if page < pages else "",
        page=page,
        pages=pages,
    )


def _choice(name: str, values: Sequence[str], chosen: str) -> Choice:
    return Choice(name, tuple(sorted({value for value in values if value})), chosen)
