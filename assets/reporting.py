"""Group reporting: the report and the result files."""

from pathlib import Path

import dagster as dg

from assets.metrics import kpi_verdicts
from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from assets.shown.end_summary import EndSummary
from assets.shown.links import report_links
from assets.tags import BEFORE_OTHERS, is_recorded
from perf_pipeline.config.settings import current_settings
from perf_pipeline.samples.run_folder import RunFolder


@dg.asset(
    group_name="reporting",
    kinds={"html", "markdown", "json"},
    owners=OWNERS,
    deps=[kpi_verdicts],
    hooks={report_run_inventory},
    op_tags=BEFORE_OTHERS,
)
def run_report(
    context: dg.AssetExecutionContext, run_metrics: str, end_summary: dg.ResourceParam[EndSummary]
) -> dg.MaterializeResult[None]:
    """One self-contained HTML file, Markdown, JSON, and the result files of each level.

    ``open`` leads to the HTML while ``make ui`` runs, of any results folder; a browser opens no
    file from a web page. ``html`` is its path. The run is filed in the catalogue as well.
    """
    from assets.shown.headline import verdict_metadata
    from perf_pipeline.analysis.stored_metrics import metrics_of
    from perf_pipeline.report.report_ahead import finish_files
    from perf_pipeline.report.run.files import report_of

    folder = RunFolder(Path(run_metrics).parent)
    metrics = metrics_of(folder)
    files = (report_of if is_recorded(context) else finish_files)(folder, metrics)
    end_summary.show(metrics, files.html)
    # After what people wait for.
    from perf_pipeline.catalogue.filing import file_measured_run

    url = current_settings().catalogue_url
    file_measured_run(metrics, folder.root, url, context.log.warning)
    return dg.MaterializeResult(
        metadata={
            **report_links(files.html),
            **verdict_metadata(metrics),
            "summary": dg.MetadataValue.md(files.markdown.read_text(encoding="utf-8")),
        }
    )
