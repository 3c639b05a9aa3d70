"""Group analysis: the history of a metric over the runs."""

from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from assets.shown.charts import drawn
from perf_pipeline.analysis.history import RUNS_MAX, read_history
from perf_pipeline.report.charts.history_charts import history_charts, history_rows

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
def metric_history(config: HistoryConfig, run_metrics: str) -> dg.MaterializeResult[None]:
    """Throughput, average, P99 and memory over runs, for each scenario, level and target.

    Only runs of the same plan, target environment and machine compare; the others are marked.
    """
    results = Path(config.results_dir) if config.results_dir else Path(run_metrics).parents[1]
    history = read_history(results, config.runs_max)
    rows = [dg.TableRecord(row) for one in history.series for row in history_rows(one)]
    metadata: dict[str, dg.MetadataValue] = {
        "runs": dg.MetadataValue.text(str(history.runs)),
        "folder": dg.MetadataValue.path(str(results)),
        "not read": dg.MetadataValue.text("; ".join(history.unread) or "none"),
        "older runs, not read": dg.MetadataValue.text(str(history.older)),
    }
    if rows:
        metadata["table"] = dg.MetadataValue.table(rows)
    latest = sorted(history.series, key=lambda one: one.newest.run_id, reverse=True)
    metadata["series in the table alone"] = dg.MetadataValue.text(str(len(latest[DRAWN_MAX:])))
    for one in latest[:DRAWN_MAX]:
        metadata[f"history: {one.key}"] = drawn(history_charts(one))
    return dg.MaterializeResult(metadata=metadata)
