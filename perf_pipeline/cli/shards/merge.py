"""The command merge: merges the shards of a run that has ended, and reports it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.cli.lines.terminal import show, show_report
from perf_pipeline.cli.outcome import exit_code, level_entries
from perf_pipeline.cli.output import (
    AsJson,
    Explain,
    Results,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.cli.summary import show_summary
from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import COMPLETE
from perf_pipeline.shards.finish_shards import finish_shards
from perf_pipeline.shards.shard_order import order_file


def merge(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run in shards, by id or folder.")],
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    explain: Explain = False,  # noqa: FBT002
) -> None:
    """Merge the shards of a run, and report it; without one of them it is incomplete.

    Exit codes: 0 complete, 1 an SLO was missed, 2 there is no such run, or a shard still runs,
    3 not a measurement, 130 it was interrupted.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        named = (settings.results_dir / run, Path(run).absolute())
        root = next((one for one in named if order_file(one).exists()), None)
        if root is None:
            raise RunFolderError(
                f"{run} has no shards to be merged: neither {named[0]} nor {named[1]} has an order "
                "of some. Of a run that was merged, prune removes them and archives leave them out"
            )
        finished = finish_shards(root, settings, lambda line: show(line, as_json=as_json))
    folder, metrics = RunFolder(root), finished.metrics
    if metrics.status != COMPLETE:
        why = folder.read_status().get("why", "")
        show(f"the run is {metrics.status}: {why}", as_json=as_json)
    show_summary(metrics, as_json=as_json, explain=explain)
    show_report(finished.report.html, as_json=as_json)
    answer(
        {
            "run_id": metrics.run_id,
            "folder": str(root),
            "report": str(finished.report.html),
            "status": metrics.status,
            "validity": metrics.validity,
            "reasons": list(metrics.reasons),
            "levels": level_entries(folder, metrics),
        },
        as_json=as_json,
    )
    slos = [slo.verdict for slo in run_slos(metrics)]
    if code := exit_code(metrics, [], slos, accept_verdicts=False, interrupted=False):
        raise typer.Exit(code)
