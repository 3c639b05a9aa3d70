"""The page of a comparison: one HTML file that opens offline and loads nothing."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.report.charts.compared_charts import cpu_chart, overlaid_distributions
from perf_pipeline.report.charts.forest_chart import forest_charts
from perf_pipeline.report.comparison import tables
from perf_pipeline.report.page_environment import page_environment, page_script
from perf_pipeline.report.profile.answer import why
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.profile import DifferentialProfile
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.charts.chart import Chart

LINKS_MAX = 40
"""Runs of a side whose reports the page leads to, the newest ones."""


def render_html(
    comparison: Comparison,
    baseline: Sequence[RunMetrics] = (),
    candidate: Sequence[RunMetrics] = (),
    *,
    reported: Collection[str] = (),
    profile: DifferentialProfile | None = None,
) -> str:
    """Return the page.

    Args:
        comparison: Any value may be missing, and any text may be hostile.
        baseline: Those runs of the side whose metrics are at hand, oldest first; the
            distributions are drawn from them.
        candidate: Likewise.
        reported: Ids of the runs whose report is in the folder beside that of the page.
        profile: What explains it, with a page of its own; None without.
    """
    drawn = drawn_comparison(comparison, baseline, candidate)
    changes = tables.by_weight(comparison.changes)
    decided = [one for one in changes if one.verdict in ("regression", "unstable", "improvement")]
    rest = [one for one in changes if one not in decided]
    environment = page_environment()
    script = page_script(environment)
    return environment.get_template("comparison.html.jinja").render(
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
        title=title(comparison),
        comparison_id=comparison.comparison_id,
        made=in_short(comparison),
        verdicts=(*tables.answers(comparison), *why(profile)),
        is_explained=profile is not None,
        effects=drawn.effects,
        moved=tables.changes_table("What moved, or may have", decided),
        others=tables.changes_table("What did not move, or was not measured", rest),
        distributions=drawn.distributions,
        differences=tables.differences_table(comparison),
        sides=tables.sides_table(comparison),
        links=[
            (name, [run for run in side.runs if run in reported][-LINKS_MAX:])
            for name, side in (
                ("Baseline", comparison.baseline),
                ("Candidate", comparison.candidate),
            )
        ],
    )


class DrawnComparison(NamedTuple):
    """The charts of a comparison.

    Attributes:
        effects: Forest plots, then CPU time per workflow.
        distributions: One a level.
    """

    effects: tuple[Chart, ...]
    distributions: tuple[Chart, ...]


def drawn_comparison(
    comparison: Comparison, baseline: Sequence[RunMetrics], candidate: Sequence[RunMetrics]
) -> DrawnComparison:
    """Draw a comparison.

    Args:
        comparison: The comparison.
        baseline: As ``render_html`` takes them.
        candidate: Likewise.
    """
    levels = list(dict.fromkeys(one.level for one in comparison.changes))
    cpu = cpu_chart(comparison.changes)
    return DrawnComparison(
        (*forest_charts(tables.by_weight(comparison.changes)), *((cpu,) if cpu else ())),
        overlaid_distributions(levels, baseline, candidate),
    )


def title(comparison: Comparison) -> str:
    """Return the heading: the scenario and the two sides."""
    scenario, *sides = map(
        escape.name,
        (comparison.scenario, comparison.baseline.name, comparison.candidate.name),
    )
    return f"{scenario}: {sides[1]} against {sides[0]}"


def in_short(comparison: Comparison) -> list[str]:
    """Return phrases on what was compared."""
    sides = (comparison.baseline, comparison.candidate)
    targets = list(dict.fromkeys(escape.visible(side.target) for side in sides))
    tolerance = f"changes below {100 * comparison.matters:g} % do not matter"
    return [
        " → ".join(targets),
        " against ".join(tables.counted_runs(comparison, side) for side in reversed(sides)),
        "interleaved" if comparison.paired else "not interleaved",
        *([tolerance] if comparison.matters else []),
    ]
