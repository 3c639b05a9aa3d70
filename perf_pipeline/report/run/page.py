"""The report as one HTML file that opens offline and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from perf_pipeline.report.charts import (
    distribution_charts,
    fault_charts,
    level_charts,
    run_charts,
)
from perf_pipeline.report.level import level_accounts, level_view
from perf_pipeline.report.page_environment import page_environment, page_script
from perf_pipeline.report.recovery.tables import recovery_of_run
from perf_pipeline.report.run import (
    answers,
    cost,
    headline,
    open_levels,
    provenance,
    repeats,
    slo,
    targets,
)
from perf_pipeline.report.shards.hosts import host_sentences, hosts_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.run.answers import Verdict

CHART_LEVELS_MAX = 16
"""Maximum number of levels with charts over time and detailed tables. Further levels have their
main tables only, so that the file stays small enough for a browser; metrics.json has everything."""

POINTS_MAX = 240
POINTS_OF_ALL_LEVELS_MAX = 1600


def render_html(metrics: RunMetrics, compared: Sequence[Verdict] = ()) -> str:
    """Return the report of one run as an HTML page.

    Args:
        metrics: The metrics of the run; any value may be missing, and any text may be hostile.
        compared: What comparisons say of it (``comparison/compared_run.py``).

    Returns:
        HTML with its style, charts and one script inline; below 5 MB for any run within the limits
        of this project. The script sorts and folds tables; without it everything is unfolded.
    """
    drawn = metrics.levels[:CHART_LEVELS_MAX]
    points_max = min(POINTS_MAX, POINTS_OF_ALL_LEVELS_MAX // max(1, len(drawn)))
    charts = {
        level.index: (
            *distribution_charts.histograms(level),
            *fault_charts.recovery_charts(level, points_max=points_max),
            *level_charts.charts_over_time(level, points_max=points_max),
        )
        for level in drawn
    }
    parts = cost.cost_of(metrics)
    asked = parts if cost.is_asked(metrics) else None
    environment = page_environment()
    script = page_script(environment)
    return environment.get_template("report.html.jinja").render(
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        title=provenance.title(metrics),
        run_id=metrics.run_id,
        status=metrics.status,
        in_short=provenance.in_short(metrics),
        test_conditions=provenance.test_conditions(metrics),
        verdicts=(*answers.verdicts(metrics, parts), *compared),
        headlines=[
            table
            for table in (headline.headline(metrics), open_levels.open_headline(metrics))
            if table.rows
        ],
        repeats_table=repeats.repeats_table(metrics),
        cost_tables=cost.cost_tables(metrics, parts) if cost.is_asked(metrics) else (),
        cost_chart=run_charts.cost_chart(parts),
        target_tables=targets.tables(metrics),
        no_targets=targets.none_set(metrics),
        recovery_tables=recovery_of_run(metrics),
        hosts_table=hosts_table(metrics),
        host_sentences=host_sentences(metrics),
        slo_table=slo.slo_table(metrics),
        levels=[
            (
                level_view.level_view(level, asked, brief=level.index not in charts),
                charts.get(level.index),
                level_view.phases_text(level),
            )
            for level in metrics.levels
        ],
        points_max=points_max,
        chart_levels_max=CHART_LEVELS_MAX,
        not_measured=level_accounts.not_measured(metrics),
        side_by_side=(*run_charts.side_by_side(metrics), *distribution_charts.curves(metrics)),
        environment=provenance.environment(metrics),
    )
