"""A look with the settings of this machine: what the command, the sensor and the checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.alerts.evidence import gather
from perf_pipeline.alerts.look import Look, look
from perf_pipeline.alerts.pages import renew_pages
from perf_pipeline.alerts.sinks.configured import absent_sinks, configured_sinks
from perf_pipeline.catalogue.store import open_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from perf_pipeline.config.settings import Settings


def watch(settings: Settings, now: datetime, notify: Callable[[str], None]) -> Look:
    """Raise, clear and announce alerts of a results folder.

    Args:
        settings: With the results folder, the catalogue and the sinks.
        now: Wall clock.
        notify: Called with a line for what could not be read or delivered; that costs nothing.

    Raises:
        CatalogueError: The catalogue cannot be read or written.
    """
    results, url = settings.results_dir, settings.catalogue_url
    if url is None and not results.is_dir():
        return Look((), (), ())  # no run yet; a look makes no folder
    gathered = gather(results, url)
    for line in gathered.unread:
        notify(f"not looked at: {line}")
    sinks = configured_sinks(settings)
    catalogue = open_catalogue(results, url)
    found = look(catalogue, gathered.evidence, sinks, now, absent_sinks(sinks))
    for line in found.undelivered:
        notify(f"not delivered, and tried again later: {line}")
    if found.announced:
        renew_pages(settings, {one.alert.scenario for one in found.announced}, notify)
    return found
