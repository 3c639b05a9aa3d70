"""Group reporting: the report and the result files."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.headline import verdict_metadata
from assets.metrics import kpi_verdicts
from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from perf_pipeline.analysis.measure import metrics_of
from perf_pipeline.config.settings import current_settings
from perf_pipeline.report.report_server import report_url
from perf_pipeline.report.run.files import write_files
from perf_pipeline.report.text import escape
from perf_pipeline.samples.run_folder import RunFolder


@dg.asset(
    group_name="reporting",
    kinds={"html", "markdown", "json"},
    owners=OWNERS,
    deps=[kpi_verdicts],
    hooks={report_run_inventory},
)
def run_report(run_metrics: str) -> Iterator[dg.MaterializeResult[None]]:
    """One self-contained HTML file, Markdown, JSON, and the result files of each level.

    ``open`` leads to the HTML while ``make ui`` runs for that results folder; a browser opens no
    file from a web page. When all is written, the Dagster run of a target that failed fails too.
    """
    folder = RunFolder(Path(run_metrics).parent)
    metrics = metrics_of(folder)
    files = write_files(folder, metrics)
    yield dg.MaterializeResult(
        metadata={
            "html": dg.MetadataValue.path(str(files.html)),
            "open": dg.MetadataValue.url(
                report_url(folder.run_id, current_settings().reports_port)
            ),
            **verdict_metadata(metrics),
            "summary": dg.MetadataValue.md(files.markdown.read_text(encoding="utf-8")),
        }
    )
    if metrics.validity == "target_failed":
        reason = escape.visible(metrics.reasons[0]) if metrics.reasons else "no reason is stored"
        raise dg.Failure(f"target_failed: {reason}", allow_retries=False)
