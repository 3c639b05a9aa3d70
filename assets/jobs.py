"""Jobs: the main job, the same for any scenario file, and ops for what outlives a run."""

import json

import dagster as dg

from assets.resources import PROCESS_TAG
from perf_pipeline.clearing import clear
from perf_pipeline.config.settings import current_settings
from perf_pipeline.infrastructure.resolution import BACK_ENDS
from perf_pipeline.infrastructure.services import start_servers, stop_servers
from perf_pipeline.lifeline import ProcessStamp

ALL = dg.AssetSelection.all()
UNFINISHED = dg.RunsFilter(
    statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING],
)

baseline = dg.define_asset_job(
    "baseline", selection=ALL, description="Normal load on the target, from servers to report."
)
scenario = dg.define_asset_job(
    "scenario", selection=ALL, description="The same for any scenario: set its file in the config."
)


@dg.op
def start_infrastructure(context: dg.OpExecutionContext) -> None:
    """Start servers that outlive this run, until they are stopped."""
    for server in start_servers(current_settings(), BACK_ENDS, context.log.warning):
        context.log.info(f"{server.facts.product} {server.facts.version} at {server.redacted_url}")


@dg.op
def stop_infrastructure(context: dg.OpExecutionContext) -> None:
    """Stop the servers that were started to outlive a run, and remove their data."""
    for line in stop_servers(current_settings(), BACK_ENDS):
        context.log.info(line)


@dg.op
def clear_leftovers(context: dg.OpExecutionContext) -> None:
    """Clear away what killed runs left, and mark those runs, ours and Dagster's."""
    for line in clear(current_settings()):
        context.log.info(line)
    for run in context.instance.get_runs(UNFINISHED):
        process = run.tags.get(PROCESS_TAG)
        if process and not ProcessStamp(*json.loads(process)).is_alive():
            context.instance.report_run_failed(run, "the process of this run was killed")
            context.log.info(f"Dagster run {run.run_id} marked as failed: its process was killed")


@dg.job(description="Start every server that can be had, for several runs.")
def infrastructure_up() -> None:
    """Start servers."""
    start_infrastructure()


@dg.job(description="Stop what infrastructure_up started.")
def infrastructure_down() -> None:
    """Stop servers."""
    stop_infrastructure()


@dg.job(description="Clear away what killed runs left behind.")
def clearing() -> None:
    """Clear away leftovers."""
    clear_leftovers()
