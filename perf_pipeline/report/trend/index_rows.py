"""The histories of results folders as rows of the page that lists all runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.types.trend import FOLDER
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.trend.files import read_trend_headline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.report.text.table import Tone

ROWS_MAX = 100
_TONES: tuple[Tone, ...] = ("good", "warn", "bad", "quiet")


@dataclass(frozen=True)
class TrendRow:
    """One history of the page; every text is inert.

    Attributes:
        link: Address of its page, relative to the list.
        name: Scenario and target.
        verdict: Whether it is worse than before.
        tone: How the verdict is coloured.
        runs: How many runs it has.
        newest: Id of the newest one.
        machine: Fingerprint of its machine.
    """

    link: str
    name: str
    verdict: str
    tone: Tone
    runs: str
    newest: str
    machine: str


def trend_rows(results: Sequence[Path]) -> tuple[tuple[TrendRow, ...], tuple[str, ...]]:
    """Return the histories with a page, newest run first, and a sentence for each damaged one."""
    rows: list[TrendRow] = []
    damaged: list[str] = []
    for folder in results:
        for path in _headlines(folder):
            try:
                rows.append(_row(path))
            except RunFolderError as error:
                damaged.append(escape.visible(error))
    rows.sort(key=lambda row: row.newest, reverse=True)
    return tuple(rows[:ROWS_MAX]), tuple(damaged)


def _headlines(results: Path) -> list[Path]:
    folder = results / FOLDER
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [path for path in sorted(folder.glob("*.json")) if path.with_suffix(".html").is_file()]


def _row(path: Path) -> TrendRow:
    line = read_trend_headline(path)
    return TrendRow(
        link=f"{path.parent.name}/{path.stem}.html",
        name=f"{escape.name(line.scenario)} on {escape.name(line.target)}",
        verdict=escape.name(line.verdict),
        tone=next((tone for tone in _TONES if tone == line.tone), "warn"),
        runs=quantity.count(line.runs),
        newest=escape.name(line.newest),
        machine=escape.name(line.machine),
    )
