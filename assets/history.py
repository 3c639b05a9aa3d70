"""Group analysis: the history of a metric over the runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from perf_pipeline.config.history_defaults import RUNS_MAX
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import CatalogueError
from perf_pipeline.report.text.escape import visible

if TYPE_CHECKING:
    from perf_pipeline.analysis.history import History


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
    """Every metric over the runs of the catalogue, for each scenario, level, target and setup.

    Only runs of the same load, settings, packages, servers and machine compare, whatever the
    target's version; the others have lines of their own.
    """
    from assets.shown.history import trend_metadata
    from perf_pipeline.analysis.setups import setups_of
    from perf_pipeline.analysis.trends import of_newest_run, read_trends
    from perf_pipeline.report.trend.files import write_trend_pages
    from perf_pipeline.report.trend.history_rows import history_rows

    results = Path(config.results_dir) if config.results_dir else Path(run_metrics).parents[1]
    try:
        trends, history = read_trends(results, current_settings().catalogue_url, config.runs_max)
    except CatalogueError as error:  # it costs the run that was just measured nothing
        context.log.warning(str(error))
        return dg.MaterializeResult(metadata={"not read": str(error)})
    rows = [dg.TableRecord(row) for one in setups_of(history.series) for row in history_rows(one)]
    metadata: dict[str, dg.MetadataValue] = {
        "runs": dg.MetadataValue.text(str(history.runs)),
        "catalogue": dg.MetadataValue.path(history.catalogue),
        "not read": dg.MetadataValue.text("; ".join(history.unread) or "none"),
        "older runs, not read": dg.MetadataValue.text(str(history.older)),
    }
    if rows:
        metadata["table"] = dg.MetadataValue.table(rows)
    if metrics := _metrics(history):  # none where no workflow of a run succeeded
        metadata["metrics"] = dg.MetadataValue.table(metrics)
    shown = of_newest_run(trends)
    metadata["histories in the table alone"] = dg.MetadataValue.text(str(len(trends) - len(shown)))
    for one in write_trend_pages(results, shown):
        metadata |= trend_metadata(one)
    return dg.MaterializeResult(metadata=metadata)


def _metrics(history: "History") -> list[dg.TableRecord]:
    """Return a row for each metric of each series: its latest value, and the range of all."""
    from perf_pipeline.analysis.setups import setups_of

    return [
        dg.TableRecord(
            {
                "level": visible(one.key, length_max=160),
                "comparable with the newest": ", ".join(setup.differences) or "yes",
                "metric": visible(one.metric, length_max=160),
                "unit": one.unit,
                "better": one.better,
                "runs that compare": str(len(one.values)),
                "latest": f"{one.values[-1]:.4g}",
                "minimum": f"{min(one.values):.4g}",
                "maximum": f"{max(one.values):.4g}",
            }
        )
        for setup in setups_of(history.series)
        for one in setup.series.metrics()
    ]
