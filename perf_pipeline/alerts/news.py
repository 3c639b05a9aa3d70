"""Whether there is anything to look at: a question that costs a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from perf_pipeline.alerts.sinks.configured import configured_sinks
from perf_pipeline.catalogue import tables
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.metrics.comparison_file import FOLDER
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import MAY_GO_ON

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings


def newest(settings: Settings) -> str:
    """Return a text that differs when there is a new run or comparison; empty to look anyway.

    Raises:
        CatalogueError: The catalogue cannot be read.
    """
    results, sinks = settings.results_dir, {one.name for one in configured_sinks(settings)}
    if settings.catalogue_url is None and not results.is_dir():
        return "no run yet"
    with open_catalogue(results, settings.catalogue_url).reading() as session:
        runs = session.scalar(select(func.count()).select_from(tables.Run)) or 0
        run = session.scalar(select(func.max(tables.Run.id))) or ""
        waiting = session.scalars(select(tables.Alert.undelivered))
        if any(one["sink"] in sinks for entries in waiting for one in entries):
            return ""
    ended = sum(one.record["status"] not in MAY_GO_ON for one in read_runs(results).found)
    comparison = max((path.stem for path in (results / FOLDER).glob("*.json")), default="")
    return f"{runs} {run} {ended} {comparison}"
