"""Plays a run in shards as one Dagster run, and merges what is stored where that failed."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.cli.dagster_child import DagsterChild, sharded_job
from perf_pipeline.cli.interruptions import interruptions_noted
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.config.settings import RESULTS, SHARDS_URL
from perf_pipeline.errors import RunFolderError, ServiceUnavailableError, ShardMissingError
from perf_pipeline.program.failure_note import FailureNote
from perf_pipeline.samples.shards.shard_folders import is_unmerged
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.finish_shards import begun_shards, finish_shards
from perf_pipeline.shards.play_shard import barrier_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from perf_pipeline.cli.dagster_child import DagsterJob
    from perf_pipeline.cli.views import View
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.checked_run import CheckedRun
    from perf_pipeline.samples.run_folder import RunFolder


def shards_job(
    scenario: str,
    overrides: Overrides,
    checked: CheckedRun,
    settings: Settings,
    folder: RunFolder,
    hosts: Sequence[str],
    *,
    is_elsewhere: bool,
    image: str | None,
    wait: str,
    gate: str | None,
) -> DagsterJob:
    """Return the job that plays a run in shards, unless it cannot be cut.

    Raises:
        ScenarioError: It cannot be played in so many shards; with every reason.
    """
    cut(checked.scenario, settings, hosts, run_id=checked.run_id)
    return sharded_job(
        *(scenario, overrides, folder, hosts),
        is_elsewhere=is_elsewhere,
        image=image,
        passed=checked.scenario.variables.passed,
        wait=wait,
        gate=gate,
    )


def launch_shards(
    job: DagsterJob,
    view: View,
    checked: CheckedRun,
    settings: Settings,
    environ: Mapping[str, str],
    folder: RunFolder,
    *,
    gate: str | None,
    accept_verdicts: bool,
    as_json: bool,
    explain: bool,
) -> None:
    """Play the shards, and report the run: of one whose shards did not all end, what is stored.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    with interruptions_noted() as noted:
        with _meeting_place(settings) as place:
            # Without a folder: no worker is started ahead, in the process of the Dagster run.
            shared = replace(checked, results_dir=None)
            own = {**environ, **place, RESULTS: str(settings.results_dir.absolute())}
            child = DagsterChild(job, view, shared, own)
            with view:
                child.run(noted)
        from perf_pipeline.cli import outcome  # noqa: PLC0415 - imported while the run began

        with outcome.reported(folder, child, noted, as_json=as_json):
            _merge_the_rest(folder, child, settings, as_json=as_json)
            outcome.finish(
                *(folder, child, gate, accept_verdicts),
                interrupted=noted.code,
                as_json=as_json,
                explain=explain,
            )


@contextmanager
def _meeting_place(settings: Settings) -> Iterator[dict[str, str]]:
    """Give the variable that says where shards meet: a Redis of this run where none is known."""
    try:
        url = barrier_url(settings)
    except ServiceUnavailableError:
        with ServiceSession(settings, ["redis"]) as session:
            yield {SHARDS_URL: session.servers["redis"].url}
    else:
        yield {SHARDS_URL: url}


def _merge_the_rest(
    folder: RunFolder, child: DagsterChild, settings: Settings, *, as_json: bool
) -> None:
    """Merge the shards of a Dagster run that ended before it did; what is missing is its failure.

    A step that was killed notes nothing.
    """
    if not is_unmerged(folder.root):
        return
    try:
        finish_shards(folder.root, settings, lambda line: show(line, as_json=as_json))
    except RunFolderError as error:
        why = str(error)
        if not begun_shards(folder.root):
            folder.remove_unless_begun()
    else:
        why = folder.read_status().get("why", "")
    if child.failure is None and child.code:
        child.failure = FailureNote(ShardMissingError.__name__, why, is_defect=False)
