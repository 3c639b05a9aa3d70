"""The command history: what changed over the runs, and a page of each history."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.cli.lines.lines import fitting, line_width, show_wrapped
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    Explain,
    Results,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.config.history_defaults import RUNS_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.trend import Trend

RunsMax = Annotated[
    int, typer.Option("--runs", min=2, help="Maximum number of runs that are read, the newest.")
]


def history(
    runs: RunsMax = RUNS_MAX,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    explain: Explain = False,  # noqa: FBT002
) -> None:
    """Show what got worse since which run, for each scenario and target, and write its page.

    `perf-pipeline alerts` raises and acknowledges alerts; this only looks.
    """
    from perf_pipeline.analysis.trends import read_trends  # noqa: PLC0415 - numpy: 0.2 s
    from perf_pipeline.report.trend.files import write_trend_pages  # noqa: PLC0415 - as above

    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        trends, read = read_trends(settings.results_dir, settings.catalogue_url, runs)
        found = write_trend_pages(settings.results_dir, trends)
    for one in found:
        _show(one.trend, one.page, as_json=as_json, explain=explain)
    for line in read.unread:
        show(f"not read: {line}", as_json=as_json)
    if not found:
        show("there is no run here yet: `perf-pipeline run baseline` makes one", as_json=as_json)
    entries = [_entry(one.trend, one.page) for one in found]
    answer({"histories": entries, "unread": list(read.unread)}, as_json=as_json)


def _show(trend: Trend, page: Path, *, as_json: bool, explain: bool) -> None:
    from perf_pipeline.report.trend.tables import answers, changes_table  # noqa: PLC0415

    worse, to_do = answers(trend)
    texts = [
        f"{trend.scenario} on {trend.target}: {worse.answer.text}. {' '.join(worse.sentences)}",
        *(f"  {sentence}" for sentence in to_do.sentences),
    ]
    show_wrapped(texts, as_json=as_json)
    table = changes_table(trend)
    if explain and table.rows:
        rows = [table.columns, *(tuple(cell.text for cell in row) for row in table.rows)]
        show(fitting(rows, line_width(as_json=as_json), (0, 6, 4, 3, 1, 2, 5, 7)), as_json=as_json)
        show_wrapped([table.note], as_json=as_json)
    show(f"page: {page}", as_json=as_json)


def _entry(trend: Trend, page: Path) -> dict[str, Any]:
    """Return a history for ``--json``; runs are named by their ids."""
    ids = [run.run_id for run in trend.runs]
    return {
        "scenario": trend.scenario,
        "target": trend.target,
        "machine": trend.machine,
        "runs": ids,
        "alerts": [one.alert_id for one in trend.alerts if one.state != "cleared"],
        "page": str(page),
        "change_points": [
            {
                "level": metric.level,
                "family": metric.family,
                "metric": metric.metric,
                "differences": list(metric.differences),
                **asdict(change),
                **{name: ids[getattr(change, name)] for name in ("run", "earliest", "latest")},
            }
            for metric in trend.metrics
            for change in metric.changes
        ],
        "drifts": [
            {
                "level": metric.level,
                "family": metric.family,
                "metric": metric.metric,
                "differences": list(metric.differences),
                **asdict(metric.drift),
                "run": ids[metric.drift.run],
            }
            for metric in trend.metrics
            if metric.drift is not None
        ],
    }
