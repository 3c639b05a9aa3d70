"""A run's headline as metadata: tables and charts to look at, numbers for the UI's plots."""

from dataclasses import asdict

import dagster as dg

from assets.shown.charts import drawn
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.report.charts.level_charts import charts_over_time
from perf_pipeline.report.charts.run_charts import side_by_side
from perf_pipeline.report.level.bottleneck import bottleneck_summary
from perf_pipeline.report.level.noise import noise_summary
from perf_pipeline.report.level.steady import steady_state_summary
from perf_pipeline.report.run.headline import headline_table, interval_rows
from perf_pipeline.report.run.plot_numbers import plot_numbers
from perf_pipeline.report.text import escape, labels

POINTS_MAX = 120
_IN_VIEW = {
    "level": "level",
    "throughput": "throughput",
    "p50": "p50",
    "p99": "p99",
    "errors": "errors",
    "cpu": "CPU each",
    "validity": "validity",
    "samples": "samples",
    "times": "times",
}
"""Field of a headline row to its column; a page of 1440 px shows about the first six."""
_WITH_INTERVAL = ("throughput", "p50", "p99", "CPU each")
_OVER_TIME = {"closed": 2, "open": 3}
"""Of a level's figures, the first ones: throughput and service time; of an open level arrivals,
throughput and response time. The report has them all."""


def headline_metadata(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return validity, a table of all levels, what limited each, charts, and plain numbers."""
    return {
        **verdict_metadata(metrics),
        **bottleneck_metadata(metrics),
        **doubt_metadata(metrics),
        **_charts(metrics),
        **{label: dg.MetadataValue.float(value) for label, value in plot_numbers(metrics).items()},
    }


def verdict_metadata(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return whether it is a measurement, and one line a level with its validity."""
    metadata: dict[str, dg.MetadataValue] = {
        "validity": dg.MetadataValue.text(metrics.validity),
        "reasons": dg.MetadataValue.text(
            "; ".join(escape.visible(reason) for reason in metrics.reasons) or "none"
        ),
        "status": dg.MetadataValue.text(metrics.status),
    }
    rows = [asdict(row) for row in headline_table(metrics)]
    if rows:
        metadata["levels"] = _table([{_IN_VIEW[k]: row[k] for k in _IN_VIEW} for row in rows])
        metadata["95 % intervals"] = _table(
            [
                {"level": row["level"], **{k: below.get(k, "") for k in _WITH_INTERVAL}}
                for row, below in zip(rows, interval_rows(metrics), strict=True)
            ]
        )
    for repeated in metrics.repeats:
        metadata[f"repeats {escape.name(repeated.label)}"] = dg.MetadataValue.text(
            escape.visible(repeated.summary)
        )
    return metadata


def _table(rows: list[dict[str, str]]) -> dg.TableMetadataValue:
    return dg.MetadataValue.table([dg.TableRecord(row) for row in rows])


def doubt_metadata(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return for each level whether it was steady and whether others used the machine."""
    doubts: dict[str, dg.MetadataValue] = {}
    for level in metrics.levels:
        for what, summary in (
            ("steady state", steady_state_summary(level)),
            ("machine", noise_summary(level)),
        ):
            if summary:
                doubts[f"{what} {labels.level_name(level)}"] = dg.MetadataValue.text(summary)
    return doubts


def bottleneck_metadata(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return what limited each level, with the reason."""
    return {
        f"bottleneck {labels.level_name(level)}": dg.MetadataValue.text(bottleneck_summary(level))
        for level in metrics.levels
        if level.bottleneck is not None
    }


def _charts(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    charts: dict[str, dg.MetadataValue] = {}
    beside = side_by_side(metrics)
    if beside:
        charts["levels side by side"] = drawn(beside)
    for level in metrics.levels:
        over_time = charts_over_time(level, points_max=POINTS_MAX)[: _OVER_TIME[level.loop]]
        if over_time:
            charts[f"over time {labels.level_name(level)}"] = drawn(over_time)
    return charts
