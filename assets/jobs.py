"""Jobs: the main job, the same for any scenario file, and ops for what outlives a run."""

from pathlib import Path

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)
from pydantic import Field

from assets.execution.killed_runs import mark_killed
from assets.launchpad.flag_form import RESULTS_DIR, settings_with
from assets.launchpad.launch_fields import AB_VALUES, CAPACITY_VALUES, OWN_VALUES, launch_fields
from assets.run_inventory import inventory_observation, note_first_failure
from assets.tags import OF_RELEASES
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import current_settings
from perf_pipeline.program.dagster_home import remove_abandoned_homes
from perf_pipeline.redaction.redact import redacted, redacted_errors
from perf_pipeline.report.run.inventory import inventory_summary
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_inventory import run_inventory_of

LOAD_RUN = "load_run_resource"
ALL = (
    dg.AssetSelection.all()
    - dg.AssetSelection.assets("found_capacity", "ab_comparison", "comparison")
    - dg.AssetSelection.tag(*OF_RELEASES)
    - dg.AssetSelection.groups("endurance")
)
"""What a load job materializes; a search for capacity, an interleaved comparison, a release and an
hour of a campaign are separate load runs, and a comparison has two sides. Metrics, verdicts,
history and report are in it rather than automated: they must follow each load at once and in order,
also when ``perf-pipeline run`` starts it without Dagster's daemon, which automation needs; and
nothing else ever makes them stale."""
PLAYED = dg.AssetSelection.assets("host_facts", "servers", "seeded_data")
"""What is there only for a load that is played."""
HOOKS = frozenset({note_first_failure})


def load_config(**config: object) -> dict[str, object]:
    """Return the run configuration of a load job: fields of ``LoadRun``."""
    return {"resources": {LOAD_RUN: {"config": config}}}


def shown_config(scenario: str) -> dict[str, object]:
    """Return what the launchpad shows at first: what people change, with the scenario's values."""
    return load_config(**launch_fields(scenario))


def _scenario_job(scenario: str, description: str) -> UnresolvedAssetJobDefinition:
    """Return the job of a built-in scenario, from servers to report."""
    return dg.define_asset_job(
        scenario,
        selection=ALL,
        config=shown_config(scenario),
        description=description,
        hooks=HOOKS,
    )


baseline = _scenario_job("baseline", "Normal load on the target, from servers to report.")
stress = _scenario_job("stress", "More and more load, until the target no longer sustains it.")
database = _scenario_job(
    "database", "Transactions on every server: more and more load, exhausted pools, recovery."
)
recovery = _scenario_job(
    "recovery", "One failure of a server after the other, and how long recovery takes."
)
pressure = _scenario_job(
    "pressure", "Little memory, busy cores, and both, beside a level without either."
)
protections = _scenario_job(
    "protections", "The same failure under each protection of the runtime, and without any."
)
scenario = dg.define_asset_job(
    "scenario",
    selection=ALL,
    config=load_config(**OWN_VALUES),
    description="The same for any scenario: set its file in the config. What is empty is as the "
    "scenario has it.",
    hooks=HOOKS,
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
        inventory = run_inventory_of(RunFolder(Path(config.run_folder)))
        context.log.info(inventory_summary(inventory))
        context.log_event(inventory_observation(inventory, dg.AssetKey("load_run")))


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
