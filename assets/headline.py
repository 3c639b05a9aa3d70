"""A run's headline as metadata: tables and charts to look at, numbers for the UI's plots.

A plot has no room for a validity, so its label says all that a line must not mix: quantity,
scenario, level, target. It never changes; ``metric_history`` draws the same with validity marked.
"""

from dataclasses import asdict

import dagster as dg

from assets.charts import drawn
from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.metrics.types.service_times import ServiceTimes
from perf_pipeline.report.charts.level_charts import charts_over_time
from perf_pipeline.report.charts.run_charts import side_by_side
from perf_pipeline.report.level.bottleneck import VERDICTS
from perf_pipeline.report.level.noise import noise_told
from perf_pipeline.report.level.steady import steady_state_summary
from perf_pipeline.report.run.headline import headline_table, interval_rows
from perf_pipeline.report.text import escape, labels

POINTS_MAX = 120
_IN_THE_REPORT = ("concurrency", "p50", "p90", "in_flight_median")
"""Columns that the UI has no room for: a wide table pushes the sentences below it out of sight."""
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
        **_numbers(metrics),
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
    rows = [
        {
            what: f"{value} {below[what]}" if what in below else value
            for what, value in row.items()
            if what not in _IN_THE_REPORT
        }
        for row, below in zip(
            map(asdict, headline_table(metrics)), interval_rows(metrics), strict=True
        )
    ]
    if rows:
        metadata["levels"] = dg.MetadataValue.table([dg.TableRecord(row) for row in rows])
    for repeated in metrics.repeats:
        metadata[f"repeats {escape.name(repeated.label)}"] = dg.MetadataValue.text(
            escape.visible(repeated.told)
        )
    return metadata


def doubt_metadata(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return of each level whether it settled and whether others used its machine."""
    told: dict[str, dg.MetadataValue] = {}
    for level in metrics.levels:
        for what, says in (
            ("steady state", steady_state_summary(level)),
            ("machine", noise_told(level)),
        ):
            if says:
                told[f"{what} {labels.level_name(level)}"] = dg.MetadataValue.text(says)
    return told


def bottleneck_metadata(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return what limited each level, in a word and a sentence."""
    told: dict[str, dg.MetadataValue] = {}
    for level in metrics.levels:
        if level.bottleneck is None:
            continue
        word, why = VERDICTS[level.bottleneck.verdict], escape.visible(level.bottleneck.why)
        hint = "" if level.validity == "valid" else f" (a hint: the level is {level.validity})"
        told[f"bottleneck {labels.level_name(level)}"] = dg.MetadataValue.text(
            f"{word}{hint}: {why}"
        )
    return told


def plot_label(quantity: str, scenario: str, level: LevelMetrics) -> str:
    """Return the label under which the UI plots a number over runs."""
    again = f" repeat {level.repeat + 1}" if level.repeat else ""
    of = f"{escape.name(scenario)} {escape.name(level.label)}{again} {escape.name(level.target)}"
    return f"{quantity}: {of}"


def _numbers(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return what can be plotted; a P99 that is a bound, or is not graded, is left out."""
    numbers: dict[str, dg.MetadataValue] = {}
    scenario = metrics.manifest.scenario
    for level in metrics.levels:
        known: dict[str, float | None] = {
            "throughput_per_s": level.throughput_per_s,
            "service_time_avg_s": level.service_times.avg_s,
            "service_time_p99_s": _graded_p99_s(level.service_times),
            "error_ratio": level.error_ratio,
            "memory_mb": level.resources.workers_pss_peak_mb,
            "samples": float(level.service_times.samples),
            "valid": float(level.validity == "valid"),
        }
        if level.open_load is not None:
            known["offered_per_s"] = level.open_load.offered_per_s
        if level.response_times is not None:
            known["response_time_avg_s"] = level.response_times.avg_s
            known["response_time_p99_s"] = _graded_p99_s(level.response_times)
        for quantity, value in known.items():
            if value is not None:
                label = plot_label(quantity, scenario, level)
                numbers[label] = dg.MetadataValue.float(value)
    return numbers


def _graded_p99_s(times: ServiceTimes) -> float | None:
    graded = not times.p99.at_least and times.p99.samples_beyond >= MIN_TAIL_SAMPLES
    return times.p99.value_s if graded else None


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
