"""Writes the page of a history into a results folder, with the line that the list of runs shows."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.metrics.types.trend import FOLDER
from perf_pipeline.report.trend.page import drawn_levels, render_html
from perf_pipeline.report.trend.tables import answers
from perf_pipeline.samples.run_file import write_atomically
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from perf_pipeline.metrics.types.trend import Trend
    from perf_pipeline.report.trend.page import DrawnLevel

SCHEMA_VERSION = 1
_NAME_LENGTH_MAX = 60


@dataclass(frozen=True)
class TrendHeadline:
    """A history in one line.

    Attributes:
        scenario: Its scenario.
        target: Its target.
        machine: Fingerprint of the machine.
        runs: How many runs it has.
        newest: Id of the newest one.
        verdict: What the page answers to whether it is worse than before.
        tone: How that is coloured.
    """

    scenario: str
    target: str
    machine: str
    runs: int
    newest: str
    verdict: str
    tone: str


class TrendPage(NamedTuple):
    """A history with its charts, and where its page is.

    Attributes:
        trend: The history.
        levels: Its charts, by load level.
        page: The page.
    """

    trend: Trend
    levels: tuple[DrawnLevel, ...]
    page: Path


def write_trend_pages(results: Path, trends: Iterable[Trend]) -> tuple[TrendPage, ...]:
    """Draw histories and write their pages into a results folder.

    Raises:
        OSError: The folder cannot be written to.
    """
    drawn = ((trend, drawn_levels(trend)) for trend in trends)
    return tuple(
        TrendPage(trend, levels, write_trend_page(results, trend, levels))
        for trend, levels in drawn
    )


def trend_page(results: Path, trend: Trend) -> Path:
    """Return where the page of a history is, or will be: one for each scenario, target, machine."""
    key = (trend.scenario, trend.target, trend.machine)
    digest = sha256("\0".join(key).encode(errors="surrogatepass")).hexdigest()[:8]
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", f"{trend.scenario}-{trend.target}").strip("-.")
    return results / FOLDER / f"{readable[:_NAME_LENGTH_MAX] or 'history'}-{digest}.html"


def write_trend_page(results: Path, trend: Trend, levels: Sequence[DrawnLevel]) -> Path:
    """Write the page of a history and its headline, each whole or not at all; return the page.

    Args:
        results: The results folder.
        trend: The history.
        levels: Its charts, as ``drawn_levels`` returns them.

    Raises:
        OSError: The folder cannot be written to.
    """
    page = trend_page(results, trend)
    page.parent.mkdir(parents=True, exist_ok=True)
    runs = (one.run_id for one in trend.runs)
    reported = {run for run in runs if (results / run / "report.html").is_file()}
    write_atomically(page, render_html(trend, levels, reported=reported).encode())
    worse, _ = answers(trend)
    headline = TrendHeadline(
        trend.scenario,
        trend.target,
        trend.machine,
        len(trend.runs),
        trend.runs[-1].run_id if trend.runs else "",
        worse.answer.text,
        worse.answer.tone,
    )
    write_json(page.with_suffix(".json"), {"schema_version": SCHEMA_VERSION, **asdict(headline)})
    return page


def read_trend_headline(path: Path) -> TrendHeadline:
    """Read the line of a history.

    Raises:
        RunFolderError: There is none, or it is not what this version writes.
    """
    return read_typed(path, TrendHeadline, SCHEMA_VERSION)
