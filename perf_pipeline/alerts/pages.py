"""The pages of histories after their alerts changed: what stands on top of them is the alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perf_pipeline.config.settings import Settings


def renew_pages(
    settings: Settings, scenarios: Collection[str], notify: Callable[[str], None]
) -> None:
    """Write the pages of the histories of some scenarios; what prevents it is notified.

    Args:
        settings: With the results folder and the catalogue.
        scenarios: Those whose alerts changed.
        notify: Called with a line if a page cannot be written.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    from perf_pipeline.analysis.trends import read_trends  # noqa: PLC0415 - numpy: 0.2 s
    from perf_pipeline.report.trend.files import write_trend_pages  # noqa: PLC0415 - as above

    trends = read_trends(settings.results_dir, settings.catalogue_url).trends
    try:
        write_trend_pages(
            settings.results_dir, (one for one in trends if one.scenario in scenarios)
        )
    except OSError as error:
        notify(f"the page of the history does not show the alert: {error}")
