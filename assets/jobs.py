"""Jobs: the main job, the same for any scenario file, and ops for what outlives a run."""

from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.execution.killed_runs import mark_killed
from assets.execution.load_jobs import ALL, HOOKS, load_config, scenario_job
from assets.launchpad.flag_form import RESULTS_DIR, settings_with
from assets.launchpad.launch_fields import AB_VALUES, CAPACITY_VALUES
from assets.run_inventory import inventory_observation
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.program.dagster_home import remove_abandoned_homes
from perf_pipeline.redaction.redact import redacted, redacted_errors
from perf_pipeline.report.run.inventory import inventory_summary
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_inventory import run_inventory_of

PLAYED = dg.AssetSelection.assets("host_facts", "servers", "seeded_data")
"""What is there only for a load that is played."""


stress = scenario_job("stress", "More and more load, until the target no longer sustains it.")
database = scenario_job(
    "database", "Transactions on every server: more and more load, exhausted pools, recovery."
)
recovery = scenario_job(
    "recovery", "One failure of a server after the other, and how long recovery takes."
)
pressure = scenario_job(
    "pressure", "Little memory, busy cores, and both, beside a level without either."
)
protections = scenario_job(
    "protections", "The same failure under each protection of the runtime, and without any."
)
recorded = dg.define_asset_job(
    "recorded",
    selection=ALL - PLAYED,
    config=load_config(recorded=""),
    description="A run that has ended, recorded here without running it again: set its folder. "
    "Runs from Python are recorded by this job.",
    hooks=HOOKS,
)
capacity = dg.define_asset_job(
    "capacity",
    selection=dg.AssetSelection.assets("found_capacity"),
    config={"ops": {"found_capacity": {"config": CAPACITY_VALUES}}},
    description="The greatest load that meets objectives; both are set in the config.",
    hooks=HOOKS,
)
ab = dg.define_asset_job(
    "ab",
    selection=dg.AssetSelection.assets("ab_comparison"),
    config={"ops": {"ab_comparison": {"config": AB_VALUES}}},
    description="Two arms compared, their levels in turn: set the targets in the config.",
    hooks=HOOKS,
)


class ClearConfig(dg.Config):
    """The run to clear up after; empty for all that were killed."""

    results_dir: str | None = RESULTS_DIR
    run_folder: str | None = Field(
        default=None,
        description="Folder of the run that failed or was cancelled, to report what is stored.",
    )


@dg.op
def start_infrastructure(context: dg.OpExecutionContext) -> None:
    """Start servers that outlive this run, until they are stopped."""
    from perf_pipeline.servers.lifecycle.services import start_servers

    with redacted_errors():
        started = start_servers(current_settings(), SERVICES, context.log.warning)
    for server in started:
        context.log.info(f"{server.facts.product} {server.facts.version} at {server.redacted_url}")


@dg.op
def stop_infrastructure(context: dg.OpExecutionContext) -> None:
    """Stop the servers that were started to outlive a run, and remove their data."""
    from perf_pipeline.servers.lifecycle.persistent_servers import stop_servers

    with redacted_errors():
        stopped = stop_servers(current_settings(), SERVICES)
    for line in stopped:
        context.log.info(line)


@dg.op
def clear_leftovers(context: dg.OpExecutionContext, config: ClearConfig) -> None:
    """Clear away what killed runs left, and mark those runs, ours and Dagster's."""
    from perf_pipeline.clearing import clear

    with redacted_errors():
        done = clear(settings_with(config.results_dir))
    homes = remove_abandoned_homes(Path(context.instance.root_directory))
    for line in (*done, *homes, *mark_killed(context.instance)):
        context.log.info(redacted(line))
    if config.run_folder:
        _merge_shards(context, Path(config.run_folder))
        inventory = run_inventory_of(RunFolder(Path(config.run_folder)))
        context.log.info(inventory_summary(inventory))
        context.log_event(inventory_observation(inventory, dg.AssetKey("load_run")))


def _merge_shards(context: dg.OpExecutionContext, run: Path) -> None:
    """Merge the shards of a run whose Dagster run ended before it did, if it is one in shards."""
    from perf_pipeline.samples.shards.shard_folders import is_unmerged
    from perf_pipeline.shards.finish_shards import finish_shards

    if is_unmerged(run):
        with redacted_errors():
            finished = finish_shards(run, current_settings(), context.log.warning)
        context.log.info(f"its shards were merged; the report is {finished.report.html}")


@dg.job(description="Start every available server, for several runs.")
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
