"""The command prune: removes the records of old runs, and keeps what was measured."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, settings_with
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.pruning import prune as prune_runs
from perf_pipeline.report.text.quantity import counted, megabytes

if TYPE_CHECKING:
    from perf_pipeline.pruning import Pruned


def prune(
    keep: Annotated[
        str,
        typer.Option(
            "--keep",
            metavar="TIME",
            help="Leave runs alone that ended within this time: 90d, 12h; 0 for none.",
        ),
    ],
    dry_run: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--dry-run", help="Remove nothing; say what would be removed.")
    ] = False,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Remove journals, records and logs of old runs; metrics, reports and manifests are kept.

    Runs that may still go on, belong to somebody else, or were not measured yet are not touched.
    """
    with bad_input_explained(as_json=as_json):
        folder = settings_with(results).results_dir
        kept = timedelta(seconds=parse_duration(keep, "--keep", needs_unit=True))
        did = "would free" if dry_run else "freed"

        def notify(run: Pruned) -> None:
            text = f"{did} {megabytes(run.bytes / 1e6)} ({counted(run.files, 'file')})"
            show(f"run {run.run_id}: {run.kept_because or text}", as_json=as_json)

        now = datetime.now(UTC)
        found = prune_runs(folder, kept, now, dry_run=dry_run, notify=notify)
    for line in found.passed_over:
        show(f"passed over: {line}", as_json=as_json)
    pruned = [run for run in found.runs if not run.kept_because]
    show(
        f"{did} {megabytes(found.bytes / 1e6)} of {counted(len(pruned), 'run')} in {folder}; "
        f"{counted(found.younger, 'run')} ended within {keep}",
        as_json=as_json,
    )
    answer(
        {
            "dry_run": dry_run,
            "keep_s": kept.total_seconds(),
            "runs": [asdict(run) for run in found.runs],
            "bytes": found.bytes,
            "younger": found.younger,
            "passed_over": list(found.passed_over),
        },
        as_json=as_json,
    )
