"""A comparison as metadata: the verdict and what to do, tables, and the charts of its page."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from assets.shown.charts import drawn
from assets.shown.links import report_links
from assets.shown.tables import shown_table
from perf_pipeline.metrics.types.comparison import Comparison
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.report.comparison import tables
from perf_pipeline.report.comparison.page import drawn_comparison
from perf_pipeline.report.text import changes as words
from perf_pipeline.report.text.quantity import rounded


def comparison_metadata(
    comparison: Comparison,
    page: Path,
    baseline: Sequence[RunMetrics] = (),
    candidate: Sequence[RunMetrics] = (),
) -> dict[str, dg.MetadataValue]:
    """Return what the page of a comparison says, and the effects as numbers for the UI's plots.

    Args:
        comparison: The comparison.
        page: Its page, which ``make ui`` serves.
        baseline: Those runs of the side whose metrics are at hand, oldest first.
        candidate: Likewise.
    """
    worse, to_do = tables.answers(comparison)
    changes = tables.by_weight(comparison.changes)
    charts = drawn_comparison(comparison, baseline, candidate)
    metadata: dict[str, dg.MetadataValue] = {
        "verdict": dg.MetadataValue.text(comparison.verdict),
        "severity": dg.MetadataValue.text(comparison.severity),
        "what moved": dg.MetadataValue.text(" ".join(worse.sentences)),
        "what to do": dg.MetadataValue.text(" ".join((f"{to_do.answer.text}.", *to_do.sentences))),
        **report_links(page),
        "effects": drawn(charts.effects),
        "every metric": shown_table(tables.changes_table("Every metric", changes)),
        "what differs": shown_table(tables.differences_table(comparison)),
        "the two sides": shown_table(tables.sides_table(comparison)),
    }
    if charts.distributions:
        metadata["distributions"] = drawn(charts.distributions)
    for one in comparison.changes:
        if one.effect is not None and not one.family:
            unit = "%" if one.kind == "ratio" else "points"
            name = f"change ({unit}): {words.metric_name(one.metric)} {words.where(one)}"
            percent = 100 * (one.effect - 1 if one.kind == "ratio" else one.effect)
            metadata[name] = dg.MetadataValue.float(rounded(percent))
    return metadata
