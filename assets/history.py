"""Group analysis: the history of a metric over the runs."""

from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from assets.shown.charts import drawn
from perf_pipeline.analysis.history import RUNS_MAX, History, read_history
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import CatalogueError
from perf_pipeline.report.text.escape import visible

DRAWN_MAX = 12
"""Series that are drawn, those with the newest runs; the table has all."""


class HistoryConfig(dg.Config):
    """Which runs the history is made of."""

    results_dir: str | None = Field(
        default=None, description="Folder of the runs. Empty: the folder of the last run."
    )
    runs_max: int = Field(
        default=RUNS_MAX, gt=0, description="Maximum number of runs that are read, the newest ones."
    )


@dg.asset(group_name="analysis", kinds={"json"}, owners=OWNERS, hooks={report_run_inventory})
def metric_history(
    context: dg.AssetExecutionContext, config: HistoryConfig, run_metrics: str
) -> dg.MaterializeResult[None]:
    """Every metric over the runs of the catalogue, for each scenario, level and target.

    Only runs of the same load, settings, packages, servers and machine compare, whatever the
    target's version; the others are marked.
    """
    from perf_pipeline.report.charts.history_charts import (  # noqa: PLC0415 - altair: 0.2 s
        history_charts,
        history_rows,
    )

    results = Path(config.results_dir) if config.results_dir else Path(run_metrics).parents[1]
    try:
        history = read_history(results, config.runs_max, current_settings().catalogue_url)
    except CatalogueError as error:  # it costs the run that was just measured nothing
        context.log.warning(str(error))
        return dg.MaterializeResult(metadata={"not read": str(error)})
    rows = [dg.TableRecord(row) for one in history.series for row in history_rows(one)]
    metadata: dict[str, dg.MetadataValue] = {
        "runs": dg.MetadataValue.text(str(history.runs)),
        "catalogue": dg.MetadataValue.path(history.catalogue),
        "not read": dg.MetadataValue.text("; ".join(history.unread) or "none"),
        "older runs, not read": dg.MetadataValue.text(str(history.older)),
    }
    if rows:
        metadata["table"] = dg.MetadataValue.table(rows)
        metadata["metrics"] = dg.MetadataValue.table(_metrics(history))
    latest = sorted(history.series, key=lambda one: one.newest.run_id, reverse=True)
    metadata["series in the table alone"] = dg.MetadataValue.text(str(len(latest[DRAWN_MAX:])))
    for one in latest[:DRAWN_MAX]:
        metadata[f"history: {one.key}"] = drawn(history_charts(one))
    return dg.MaterializeResult(metadata=metadata)


def _metrics(history: History) -> list[dg.TableRecord]:
    """Return a row for each metric of each series: its latest value, and the range of all."""
    return [
        dg.TableRecord(
            {
                "level": visible(one.key, length_max=160),
                "metric": visible(one.metric, length_max=160),
                "unit": one.unit,
                "better": "higher" if one.higher_is_better else "lower",
                "runs that compare": str(len(one.values)),
                "latest": f"{one.values[-1]:.4g}",
                "minimum": f"{min(one.values):.4g}",
                "maximum": f"{max(one.values):.4g}",
            }
        )
        for series in history.series
        for one in series.metrics()
    ]
