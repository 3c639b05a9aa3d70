"""Groups metrics and analysis: what the records of a run mean."""

from importlib import import_module
from pathlib import Path

import dagster as dg

from assets.failure import refused_in_a_sentence
from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from assets.tags import BEFORE_OTHERS, is_recorded
from perf_pipeline.analysis.measuring_process import measured_ahead
from perf_pipeline.metrics.schema_version import SCHEMA_VERSION
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
    is_measured = is_recorded(context) or measured_ahead(folder.root, _prepare_showing_metrics)
    from assets.shown.headline import headline_metadata
    from perf_pipeline.analysis.stored_metrics import metrics_of

    with refused_in_a_sentence():
        if is_measured:
            metrics = metrics_of(folder)
        else:
            from perf_pipeline.analysis.measure import measure

            metrics = measure(folder)
    if context.job_def.has_node_named("run_report") and not is_recorded(context):
        from perf_pipeline.report.report_ahead import begin_files

        begin_files(folder, metrics)
    return dg.Output(str(folder.metrics), metadata=headline_metadata(metrics))


def _prepare_showing_metrics() -> None:
    """Import and make what this step and the next ones need, while another process measures."""
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.typed_file import prepare_reading

    prepare_reading(RunMetrics)
    for module in ("assets.shown.headline", "perf_pipeline.report.report_ahead"):
        import_module(module)


@dg.asset(
    group_name="analysis",
    kinds={"python"},
    owners=OWNERS,
    hooks={report_run_inventory},
    op_tags=BEFORE_OTHERS,
)
def kpi_verdicts(run_metrics: str) -> dg.MaterializeResult[None]:
    """Grades of the key performance indicators, the tables of targets, and what limited it."""
    from assets.shown.headline import bottleneck_metadata
    from perf_pipeline.analysis.stored_metrics import metrics_of
    from perf_pipeline.report.run.targets import named_by_verdict, plain_rows

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
