"""The newest comparison, history and campaign, for the reader who decides on a release."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.dashboard.campaign_rows import campaign_rows
from perf_pipeline.report.comparison.index_rows import comparison_rows
from perf_pipeline.report.text.table import Cell
from perf_pipeline.report.trend.index_rows import trend_rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.dashboard.campaign_rows import CampaignRow
    from perf_pipeline.dashboard.catalogue_rows import CatalogueRows
    from perf_pipeline.report.comparison.index_rows import ComparisonRow
    from perf_pipeline.report.trend.index_rows import TrendRow

_COUNTED = {"bad": "bad", "warn": "in doubt"}


class Finding(NamedTuple):
    """One line of the overview; every text is inert.

    Attributes:
        term: What it is about.
        page: Address of the page that lists all of its kind.
        verdicts: The verdicts; one that is ``quiet`` says that there is none yet.
        text: What they are of, with the largest change.
        link: Address of its own page; empty for none.
    """

    term: str
    page: str
    verdicts: tuple[Cell, ...]
    text: str = ""
    link: str = ""


class NewestFindings(NamedTuple):
    """What the results folders say beside their runs.

    Attributes:
        rows: One on comparisons, histories, alerts and campaigns each.
        damaged: A sentence for each file that cannot be read.
    """

    rows: tuple[Finding, ...]
    damaged: tuple[str, ...]


def newest_findings(results: Sequence[Path], catalogue: CatalogueRows) -> NewestFindings:
    """Return what the results folders say beside their runs.

    Args:
        results: The folders.
        catalogue: What their catalogues hold.
    """
    comparisons, campaigns = comparison_rows(results), campaign_rows(results)
    trends, damaged = trend_rows(results)
    rows = (
        _comparison(comparisons.rows),
        _trends(trends),
        _alerts(catalogue),
        _campaign(campaigns.rows),
    )
    return NewestFindings(rows, (*comparisons.damaged, *damaged, *campaigns.damaged))


def _none(term: str, page: str, text: str) -> Finding:
    return Finding(term, page, (Cell(text, "quiet"),))


def _comparison(rows: Sequence[ComparisonRow]) -> Finding:
    term, page = "Newest comparison", "/comparisons/"
    if not rows:
        return _none(term, page, "none is stored: what changed is not known")
    row = rows[0]
    moved = f": {row.first}" if row.first else ""
    text = f"{row.candidate} against {row.baseline}, {row.scenario}{moved}"
    return Finding(term, page, (row.verdict,), text, f"/{row.link}" if row.link else "")


def _trends(rows: Sequence[TrendRow]) -> Finding:
    term, page = "Newest trend", "/trends/"
    if not rows:
        return _none(term, page, "none is drawn: whether runs got worse is not known")
    row = rows[0]
    counts = Counter(_COUNTED[one.tone] for one in rows[1:] if one.tone in _COUNTED)
    others = "".join(f"; {count} of the others {word}" for word, count in sorted(counts.items()))
    text = f"{row.name}, {row.runs} {'run' if row.runs == '1' else 'runs'}{others}"
    return Finding(term, page, (Cell(row.verdict, row.tone),), text, f"/{row.link}")


def _alerts(catalogue: CatalogueRows) -> Finding:
    term, page = "Regression alerts", "/alerts/"
    if not catalogue.is_there:
        return _none(term, page, "no run is in a catalogue: nothing was checked")
    count = sum(one.is_open for one in catalogue.alerts)
    if not count:
        return _none(term, page, "none is open")
    return Finding(term, page, (Cell(f"{count} open", "bad"),))


def _campaign(rows: Sequence[CampaignRow]) -> Finding:
    term, page = "Newest campaign", "/endurance/"
    if not rows:
        return _none(term, page, "none: leaks and slow losses are not known")
    row = rows[0]
    text = f"{row.scenario} on {row.target}, {row.hours.text}, {row.hours.note}"
    named = (("leaks", row.leak), ("loss", row.loss), ("errors", row.errors))
    verdicts = tuple(Cell(f"{name}: {cell.text}", cell.tone) for name, cell in named)
    return Finding(term, page, verdicts, text, row.link)
