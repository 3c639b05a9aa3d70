"""Jobs: the main job, the same for any scenario file, and ops for what outlives a run."""

import json
from dataclasses import replace
from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.resources import PROCESS_TAG
from assets.run_inventory import inventory_observation
from perf_pipeline.clearing import clear
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.lifeline import ProcessStamp
from perf_pipeline.report.run.inventory import inventory_summary
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_inventory import run_inventory_of
from perf_pipeline.servers.lifecycle.persistent_servers import stop_servers
from perf_pipeline.servers.lifecycle.services import start_servers

LOAD_RUN = "load_run_resource"
ALL = dg.AssetSelection.all() - dg.AssetSelection.assets("found_capacity")
"""What a load job materializes; a search for capacity is a load run of its own. Metrics, verdicts,
history and report are in it rather than automated: they must follow each load at once and in
order, also when ``perf-pipeline run`` starts it without Dagster's daemon, which automation needs;
and nothing else ever makes them stale."""
UNFINISHED = dg.RunsFilter(
    statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING],
)


def load_config(**config: object) -> dict[str, object]:
    """Return the run configuration of a load job: fields of ``LoadRun``."""
    return {"resources": {LOAD_RUN: {"config": config}}}


baseline = dg.define_asset_job(
    "baseline",
    selection=ALL,
    config=load_config(scenario="baseline"),
    description="Normal load on the target, from servers to report.",
)
stress = dg.define_asset_job(
    "stress",
    selection=ALL,
    config=load_config(scenario="stress"),
    description="More and more load, up to where the target stops holding it.",
)
scenario = dg.define_asset_job(
    "scenario",
    selection=ALL,
    config=load_config(scenario="baseline"),
    description="The same for any scenario: set its file in the config.",
)
capacity = dg.define_asset_job(
    "capacity",
    selection=dg.AssetSelection.assets("found_capacity"),
    config={"ops": {"found_capacity": {"config": {"scenario": "baseline", "slos": ["p99_s < 5"]}}}},
    description="The greatest load that keeps objectives: which, on what, is in the config.",
)


class ClearConfig(dg.Config):
    """What to clear up after; empty after whatever was killed."""

    results_dir: str | None = Field(
        default=None, description="Folder of the runs. Empty: PERF_PIPELINE_RESULTS or results/."
    )
    run_folder: str | None = Field(
        default=None,
        description="Folder of the run that failed or was cancelled, to say what is kept.",
    )


@dg.op
def start_infrastructure(context: dg.OpExecutionContext) -> None:
    """Start servers that outlive this run, until they are stopped."""
    for server in start_servers(current_settings(), SERVICES, context.log.warning):
        context.log.info(f"{server.facts.product} {server.facts.version} at {server.redacted_url}")


@dg.op
def stop_infrastructure(context: dg.OpExecutionContext) -> None:
    """Stop the servers that were started to outlive a run, and remove their data."""
    for line in stop_servers(current_settings(), SERVICES):
        context.log.info(line)


@dg.op
def clear_leftovers(context: dg.OpExecutionContext, config: ClearConfig) -> None:
    """Clear away what killed runs left, and mark those runs, ours and Dagster's."""
    settings = current_settings()
    if config.results_dir:
        settings = replace(settings, results_dir=Path(config.results_dir))
    for line in clear(settings):
        context.log.info(line)
    for run in context.instance.get_runs(UNFINISHED):
        process = run.tags.get(PROCESS_TAG)
        if process and not ProcessStamp(*json.loads(process)).is_alive():
            context.instance.report_run_failed(run, "the process of this run was killed")
            context.log.info(f"Dagster run {run.run_id} marked as failed: its process was killed")
    if config.run_folder:
        kept = run_inventory_of(RunFolder(Path(config.run_folder)))
        context.log.info(inventory_summary(kept))
        context.log_event(inventory_observation(kept, dg.AssetKey("load_run")))


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
