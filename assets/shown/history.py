"""A history as metadata: what got worse since which run, its change points, alerts and charts."""

from itertools import chain, islice

import dagster as dg

from assets.shown.charts import drawn
from assets.shown.links import report_links
from assets.shown.tables import shown_table
from perf_pipeline.report.text import escape
from perf_pipeline.report.trend import tables
from perf_pipeline.report.trend.files import TrendPage

CHARTS_MAX = 16
"""Charts of one history; its page has more."""


def trend_metadata(shown: TrendPage) -> dict[str, dg.MetadataValue]:
    """Return what the page of a history says, each entry named with scenario and target.

    Args:
        shown: The history with its charts and its page, which ``make ui`` serves.
    """
    trend = shown.trend
    of = f"{escape.name(trend.scenario)} {escape.name(trend.target)}"
    worse, to_do = tables.answers(trend)
    said = " ".join((f"{worse.answer.text}.", *worse.sentences, *to_do.sentences))
    charts = chain.from_iterable(level.charts for level in shown.levels)
    return {
        f"verdict: {of}": dg.MetadataValue.text(said),
        f"open: {of}": report_links(shown.page)["open"],
        f"history: {of}": drawn(islice(charts, CHARTS_MAX)),
        f"change points: {of}": shown_table(tables.changes_table(trend)),
        f"alerts: {of}": shown_table(tables.alerts_table(trend)),
        f"baselines: {of}": shown_table(tables.baselines_table(trend)),
    }
