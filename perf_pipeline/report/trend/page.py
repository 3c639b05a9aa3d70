"""The page of a history: one HTML file that opens offline and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.report.charts.trend_charts import trend_chart
from perf_pipeline.report.page_environment import page_environment, page_script
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.trend import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from perf_pipeline.metrics.types.trend import MetricTrend, Trend, TrendRun
    from perf_pipeline.report.charts.chart import Chart

CHARTS_MAX = 36
"""Metrics that are drawn: in the newest setup first those with change points or a drift, then those
that decide; then those of earlier setups."""

_FIRST = ("throughput_per_s", "cpu_per_workflow_s", "error_ratio", "avg_s", "p99_s", "p50_s")


class DrawnLevel(NamedTuple):
    """The charts of one load level in one setup.

    Attributes:
        name: Of the level.
        differences: What differs from its newest setup; empty for the newest.
        charts: One a metric.
    """

    name: str
    differences: str
    charts: tuple[Chart, ...]


class ShownRun(NamedTuple):
    """A row of the list of runs.

    Attributes:
        number: As in the charts.
        run: The run.
        created: When it started.
        has_report: Whether its report is beside the page.
    """

    number: int
    run: TrendRun
    created: str
    has_report: bool


def render_html(
    trend: Trend, levels: Sequence[DrawnLevel], *, reported: Collection[str] = ()
) -> str:
    """Return the page.

    Args:
        trend: Any text may be hostile.
        levels: Its charts, as ``drawn_levels`` returns them.
        reported: Ids of the runs whose report is in the folder beside that of the page.
    """
    environment = page_environment()
    script = page_script(environment)
    shown = list(enumerate(trend.runs, start=1))[-tables.RUNS_MAX :]
    return environment.get_template("trend.html.jinja").render(
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        title=title(trend),
        verdicts=tables.answers(trend),
        alerts=tables.alerts_table(trend),
        changes=tables.changes_table(trend),
        baselines=tables.baselines_table(trend),
        metrics=tables.metrics_table(trend),
        levels=levels,
        left_out=_counted_left_out(trend, levels),
        runs=[
            ShownRun(number, run, quantity.moment(run.created), run.run_id in reported)
            for number, run in reversed(shown)
        ],
        older=len(trend.runs) - len(shown),
    )


def _counted_left_out(trend: Trend, levels: Sequence[DrawnLevel]) -> str:
    left = len(trend.metrics) - sum(len(one.charts) for one in levels)
    return quantity.counted(left, "further metric") if left else ""


def title(trend: Trend) -> str:
    """Return the heading: the scenario and the target."""
    return f"{escape.name(trend.scenario)} on {escape.name(trend.target)}: history"


def drawn_levels(trend: Trend) -> tuple[DrawnLevel, ...]:
    """Draw the metrics that matter most, by load level."""
    places = [at for at, one in enumerate(trend.metrics) if not one.setup or len(one.points) > 1]
    places.sort(key=lambda at: _weight(trend.metrics[at]))
    levels: dict[tuple[str, int, str], list[Chart]] = {}
    for place in sorted(places[:CHARTS_MAX]):
        chart = trend_chart(trend, place)
        if chart is not None:
            metric = trend.metrics[place]
            setup = (metric.level, metric.setup, ", ".join(metric.differences))
            levels.setdefault(setup, []).append(chart)
    return tuple(
        DrawnLevel(escape.name(level), escape.name(differences), tuple(found))
        for (level, _, differences), found in levels.items()
    )


def _weight(metric: MetricTrend) -> tuple[int, bool, bool, int]:
    rank = _FIRST.index(metric.metric) if metric.metric in _FIRST else len(_FIRST)
    return metric.setup, not (metric.changes or metric.drift), bool(metric.family), rank
