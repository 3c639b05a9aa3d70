"""Group reporting: what people read."""

from pathlib import Path

import dagster as dg

from assets.metrics import kpi_verdicts
from perf_pipeline.metrics.measure import measure_run
from perf_pipeline.run import report
from perf_pipeline.samples.run_folder import RunFolder


@dg.asset(group_name="reporting", kinds={"html", "markdown", "json"}, deps=[kpi_verdicts])
def run_report(run_metrics: str) -> dg.MaterializeResult[None]:
    """One self-contained HTML file, Markdown, JSON, and the result files of each level."""
    folder = RunFolder(Path(run_metrics).parent)
    files = report(folder, measure_run(folder))
    return dg.MaterializeResult(
        metadata={
            "html": dg.MetadataValue.path(str(files.html)),
            "open": dg.MetadataValue.url(files.html.as_uri()),
            "summary": dg.MetadataValue.md(files.markdown.read_text(encoding="utf-8")),
        }
    )
