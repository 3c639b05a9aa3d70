"""Links from Dagster's pages to a report, and the path for whoever cannot follow them."""

from pathlib import Path

import dagster as dg

from perf_pipeline.config.settings import current_settings
from perf_pipeline.report.report_places import ReportPlaces
from perf_pipeline.samples.run_folder import RunFolder


def report_links(
    folder: RunFolder, html: Path, *, page: str = "report"
) -> dict[str, dg.MetadataValue]:
    """Return the address of a report while ``make ui`` runs, that of all runs, and the path.

    Args:
        folder: The run; from now on, ``make ui`` serves its results folder.
        html: The page.
        page: ``report`` or ``capacity``.
    """
    settings = current_settings()
    link = ReportPlaces(settings.state_dir).link(folder.root, settings.reports_port, page=page)
    return {
        "open": dg.MetadataValue.url(link.url),
        "all runs": dg.MetadataValue.url(link.index_url),
        "html": dg.MetadataValue.path(str(html)),
    }
