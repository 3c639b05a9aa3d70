"""Links from Dagster's pages to a report, and the path for whoever cannot follow them."""

from pathlib import Path

import dagster as dg

from perf_pipeline.config.settings import current_settings
from perf_pipeline.report.report_places import ReportPlaces


def report_links(page: Path) -> dict[str, dg.MetadataValue]:
    """Return the address of a page while ``make ui`` or the dashboard runs, and its path.

    Args:
        page: ``RUN/report.html`` or ``comparisons/ID.html`` in a results folder, which ``make ui``
            serves from now on.
    """
    settings = current_settings()
    places = ReportPlaces(settings.state_dir)
    link = places.link(page, settings.reports_port, settings.pages.reports)
    return {
        "open": dg.MetadataValue.url(link.url),
        "all runs": dg.MetadataValue.url(link.index_url),
        "html": dg.MetadataValue.path(str(page)),
    }
