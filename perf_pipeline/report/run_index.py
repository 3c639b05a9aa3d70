"""The page behind the links to reports: histories, comparisons and runs, newest first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.errors import RunFolderError
from perf_pipeline.report.comparison.index_rows import comparison_rows
from perf_pipeline.report.page_environment import page_environment
from perf_pipeline.report.run.run_headline import FILE, read_headline
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.trend.index_rows import trend_rows
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import COMPLETE, started

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from perf_pipeline.report.comparison.index_rows import ComparisonRows
    from perf_pipeline.report.run.run_headline import RunHeadline
    from perf_pipeline.report.trend.index_rows import TrendRow
    from perf_pipeline.samples.run_list import FoundRun

ROWS_MAX = 1000
"""Runs on the page, the newest ones; older ones are counted."""

_TONES = {"met": "good", "valid": "good", "missed": "bad", "target_failed": "bad"}
_PAGES = {"report.html": "report", "capacity.html": "capacity"}


@dataclass(frozen=True)
class IndexRow:
    """One run of the page; every text is inert.

    Attributes:
        run_id: Its id.
        started: When, UTC.
        scenario: Its name.
        target: What executed the workflows; empty where it is not known yet.
        verdict: The verdict; of a run that has not ended in order, its status.
        tone: How the verdict is coloured.
        level: The level with the largest load.
        throughput: Of that level.
        p99: Likewise; ``≥`` is a lower bound, ``*`` has fewer than 10 samples beyond it.
        links: Address, relative to the page, to its name.
        folder: Path of the run.
    """

    run_id: str
    started: str
    scenario: str
    target: str
    verdict: str
    tone: str
    level: str
    throughput: str
    p99: str
    links: tuple[tuple[str, str], ...]
    folder: str


class RunIndex(NamedTuple):
    """What the page shows.

    Attributes:
        rows: Newest first.
        older: How many runs are not among them.
        damaged: A sentence for each folder that cannot be read, and why.
        folders: The results folders.
        comparisons: Their comparisons.
        trends: Their histories.
    """

    rows: tuple[IndexRow, ...]
    older: int
    damaged: tuple[str, ...]
    folders: tuple[str, ...]
    comparisons: ComparisonRows
    trends: tuple[TrendRow, ...]


def run_index(results: Sequence[Path]) -> RunIndex:
    """Read the newest runs of results folders; one that is damaged is named and hides no other."""
    found: list[FoundRun] = []
    damaged: list[str] = []
    for folder in results:
        try:
            runs = read_runs(folder)
        except RunFolderError as error:
            damaged.append(escape.visible(error))
            continue
        found += runs.found
        damaged += map(escape.visible, runs.passed_over)
    found.sort(key=_begun, reverse=True)
    rows = tuple(_row(run, damaged) for run in found[:ROWS_MAX])
    folders = tuple(map(escape.visible, results))
    compared = comparison_rows(results)
    trends, damaged_trends = trend_rows(results)
    named = (*damaged, *compared.damaged, *damaged_trends)
    return RunIndex(rows, len(found[ROWS_MAX:]), named, folders, compared, trends)


def render_index(results: Sequence[Path]) -> str:
    """Return the page; it loads nothing and has no script."""
    index = run_index(results)
    return page_environment().get_template("runs.html.jinja").render(index=index)


def _row(run: FoundRun, damaged: list[str]) -> IndexRow:
    root, record = run.folder.root, run.record
    status = str(record["status"])
    line = _headline(root, damaged)
    verdict = line.verdict if line and status == COMPLETE else status
    return IndexRow(
        run_id=escape.name(run.folder.run_id),
        started=quantity.moment(record["started_at"]).removesuffix(" UTC"),
        scenario=escape.name(line.scenario if line else record["scenario"]),
        target=escape.name(line.target) if line else "",
        verdict=escape.name(verdict),
        tone=_TONES.get(verdict, "warn"),
        level=escape.name(line.level) if line else "",
        throughput=_throughput(line),
        p99=_p99(line),
        links=tuple(_links(root)),
        folder=escape.visible(root),
    )


def _headline(root: Path, damaged: list[str]) -> RunHeadline | None:
    if not os.path.lexists(root / FILE):
        return None  # it goes on, has no report yet, or is of an older version
    try:
        return read_headline(root)
    except RunFolderError as error:
        damaged.append(escape.visible(error))
        return None


def _links(root: Path) -> Iterable[tuple[str, str]]:
    for file, name in _PAGES.items():
        if (root / file).is_file():
            yield f"{root.name}/{file}", name


def _throughput(line: RunHeadline | None) -> str:
    if line is None or line.throughput_per_s is None:
        return ""
    return quantity.rate(line.throughput_per_s)


def _p99(line: RunHeadline | None) -> str:
    if line is None or line.p99_s is None:
        return ""
    bound, weak = "≥ " if line.p99_is_bound else "", " *" if line.p99_is_weak else ""
    return f"{bound}{quantity.seconds(line.p99_s)}{weak}"


def _begun(run: FoundRun) -> tuple[datetime, str]:
    return started(run.record), run.folder.run_id
