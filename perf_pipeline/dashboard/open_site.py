"""The site of this machine's settings, for whoever serves it: the dashboard, or ``make ui``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from perf_pipeline.dashboard.linked_pages import LinkedPages
from perf_pipeline.dashboard.live_runs import LiveRuns
from perf_pipeline.dashboard.monitoring_watch import MonitoringWatch
from perf_pipeline.dashboard.site import Site
from perf_pipeline.report.report_places import ReportPlaces

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings


def open_site(settings: Settings, *, dagster_url: str | None = None, is_local: bool = True) -> Site:
    """Return the site of a results folder; pages of others are served where links lead to them.

    Args:
        settings: Where runs, catalogue and other pages are.
        dagster_url: Of the Dagster UI that runs beside it; None for that of the settings.
        is_local: Whether only readers on this machine reach it.
    """
    places, pages = ReportPlaces(settings.state_dir), settings.pages

    others = {
        "Dagster": dagster_url or pages.dagster,
        "Grafana": pages.grafana,
        "Prometheus": pages.prometheus,
        "Kibana": pages.kibana,
    }
    return Site(
        lambda: [settings.results_dir],
        LiveRuns(time.time),
        linked=places.folders,
        catalogue_url=settings.catalogue_url,
        monitoring=MonitoringWatch(
            settings.state_dir, are_local=is_local and pages.reports is None
        ).look,
        others=LinkedPages({name: url for name, url in others.items() if url}, pages.asked).look,
        public_host=pages.reports_host,
    )
