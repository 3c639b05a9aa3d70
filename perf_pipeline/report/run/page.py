"""The report as one HTML file that opens offline and asks nothing of any other machine."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

import jinja2
from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from perf_pipeline.report.charts import distribution_charts, level_charts, run_charts
from perf_pipeline.report.level import level_view
from perf_pipeline.report.run import (
    answers,
    cost,
    headline,
    not_measured,
    open_headline,
    provenance,
    repeats,
    slo,
    targets,
)
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

CHART_LEVELS_MAX = 10
"""So many levels are drawn over time and shown with all tables; of more, only the main tables are
shown, or the file grows beyond what a browser opens at once. metrics.json holds everything."""

POINTS_MAX = 240
POINTS_OF_ALL_LEVELS_MAX = 1600


def render_html(metrics: RunMetrics) -> str:
    """Return the report of one run as a page of its own.

    Args:
        metrics: What was measured; anything in it may be missing, and any text hostile.

    Returns:
        HTML with style, charts and one script of ours inside; below 5 MB for any run of the limits
        of this project. The script sorts and folds; without it everything is there and open.
    """
    with debug_mode(False):  # altair checks each chart against its schema: half of all the time
        return _render(metrics)


def _render(metrics: RunMetrics) -> str:
    drawn = metrics.levels[:CHART_LEVELS_MAX]
    points_max = min(POINTS_MAX, POINTS_OF_ALL_LEVELS_MAX // max(1, len(drawn)))
    figures = {
        level.index: (
            *distribution_charts.histograms(level),
            *level_charts.level_figures(level, points_max=points_max),
        )
        for level in drawn
    }
    parts = cost.cost_of(metrics)
    asked = parts if cost.is_asked(metrics) else None
    environment = page_environment()
    script = _script(environment)
    return environment.get_template("report.html.jinja").render(
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        title=provenance.title(metrics),
        run_id=metrics.run_id,
        status=metrics.status,
        in_short=provenance.in_short(metrics),
        what_ran=provenance.what_ran(metrics),
        verdicts=answers.verdicts(metrics, parts),
        headlines=[
            table
            for table in (headline.headline(metrics), open_headline.open_headline(metrics))
            if table.rows
        ],
        repeats_table=repeats.repeats_table(metrics),
        cost_tables=cost.cost_tables(metrics, parts) if cost.is_asked(metrics) else (),
        cost_figure=run_charts.cost_figure(parts),
        target_tables=targets.tables(metrics),
        no_targets=targets.none_set(metrics),
        slo_table=slo.slo_table(metrics),
        levels=[
            (
                level_view.level_view(level, asked, brief=level.index not in figures),
                figures.get(level.index),
                level_view.phases_in_words(level),
            )
            for level in metrics.levels
        ],
        points_max=points_max,
        chart_levels_max=CHART_LEVELS_MAX,
        not_measured=not_measured.not_measured(metrics),
        side_by_side=(*run_charts.side_by_side(metrics), *distribution_charts.curves(metrics)),
        environment=provenance.environment(metrics),
    )


def _script(environment: jinja2.Environment) -> Markup:
    """Return the page's own script; its policy lets no other run."""
    assert environment.loader is not None
    return Markup(environment.loader.get_source(environment, "report.js")[0])  # noqa: S704 - ours


def page_environment() -> jinja2.Environment:
    """Return where templates come from: all they print is escaped and made visible."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("perf_pipeline.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )


def _shown(value: object) -> object:
    """Spell out what cannot be seen in every value that a template prints."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return escape.visible(value, length_max=100_000)
