"""A run's headline numbers as metadata: numbers under stable labels, so that the UI plots them."""

from dataclasses import asdict

import dagster as dg

from perf_pipeline.metrics.run_metrics import RunMetrics
from perf_pipeline.report.headline import headline_table


def headline_metadata(metrics: RunMetrics) -> dict[str, dg.MetadataValue]:
    """Return validity, one table of all levels, and one number a level and quantity."""
    metadata: dict[str, dg.MetadataValue] = {
        "validity": dg.MetadataValue.text(metrics.validity),
        "reasons": dg.MetadataValue.text("; ".join(metrics.reasons) or "none"),
        "status": dg.MetadataValue.text(metrics.status),
    }
    rows = headline_table(metrics)
    if rows:
        metadata["levels"] = dg.MetadataValue.table([dg.TableRecord(asdict(row)) for row in rows])
    for level in metrics.levels:
        numbers = {
            "throughput_per_s": level.throughput_per_s,
            "service_time_avg_s": level.service_times.avg_s,
            "error_ratio": level.error_ratio,
        }
        for name, value in numbers.items():
            if value is not None:
                metadata[f"{name} {level.shown}"] = dg.MetadataValue.float(value)
    return metadata
