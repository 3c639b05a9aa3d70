"""Groups metrics and analysis: what the records of a run mean."""

from pathlib import Path

import dagster as dg

from assets.headline import headline_metadata
from perf_pipeline.metrics.measure import measure_run
from perf_pipeline.run import measure
from perf_pipeline.samples.run_folder import RunFolder


@dg.asset(group_name="metrics", kinds={"polars", "parquet"})
def run_metrics(load_run: str) -> dg.Output[str]:
    """Throughput, service times, errors, resources and validity of every level.

    The value is the path of ``metrics.json``.
    """
    folder = RunFolder(Path(load_run))
    metrics = measure(folder)
    return dg.Output(str(folder.metrics), metadata=headline_metadata(metrics))


@dg.asset(group_name="analysis", kinds={"python"})
def kpi_verdicts(run_metrics: str) -> dg.MaterializeResult[None]:
    """Grades of the key performance indicators, and the tables of targets."""
    metrics = measure_run(RunFolder(Path(run_metrics).parent))
    grades = {f"{kpi.what} at {kpi.level}": kpi.grade for kpi in metrics.kpis}
    missed = [
        f"{row.table} {row.what} at {row.level}"
        for row in metrics.targets
        if row.verdict == "missed"
    ]
    return dg.MaterializeResult(metadata={**grades, "targets missed": missed})
