"""Groups metrics and analysis: what the records of a run mean."""

from pathlib import Path

import dagster as dg

from assets.failure import refused_in_a_sentence
from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from assets.shown.headline import bottleneck_metadata, headline_metadata
from assets.tags import BEFORE_OTHERS, is_recorded
from perf_pipeline.analysis.measure import measure, metrics_of
from perf_pipeline.metrics.types.run_metrics import SCHEMA_VERSION
from perf_pipeline.report.run.targets import named_by_verdict, plain_rows
from perf_pipeline.samples.run_folder import RunFolder


@dg.asset(
    group_name="metrics",
    kinds={"polars", "parquet", "json"},
    owners=OWNERS,
    code_version=str(SCHEMA_VERSION),
    hooks={report_run_inventory},
)
def run_metrics(context: dg.AssetExecutionContext, load_run: str) -> dg.Output[str]:
    """Throughput, service times, errors, resources, validity and bottleneck of every level.

    The value is the path of ``metrics.json``.
    """
    folder = RunFolder(Path(load_run))
    with refused_in_a_sentence():
        metrics = metrics_of(folder) if is_recorded(context) else measure(folder)
    return dg.Output(str(folder.metrics), metadata=headline_metadata(metrics))


@dg.asset(
    group_name="analysis",
    kinds={"python"},
    owners=OWNERS,
    hooks={report_run_inventory},
    op_tags=BEFORE_OTHERS,
)
def kpi_verdicts(run_metrics: str) -> dg.MaterializeResult[None]:
    """Grades of the key performance indicators, the tables of targets, and what limited it."""
    metrics = metrics_of(RunFolder(Path(run_metrics).parent))
    rows = [dg.TableRecord(row) for row in plain_rows(metrics)]
    return dg.MaterializeResult(
        metadata={
            **{f"{kpi.what} at {kpi.level}": kpi.grade for kpi in metrics.kpis},
            "targets missed": named_by_verdict(metrics, "missed"),
            "targets unclear": named_by_verdict(metrics, "unclear"),
            **({"targets": dg.MetadataValue.table(rows)} if rows else {}),
            **bottleneck_metadata(metrics),
        }
    )
