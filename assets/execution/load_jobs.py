"""The jobs that ``perf-pipeline run`` executes, and what every load job has in common."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from assets import history, infrastructure, metrics, reporting, scenarios
from assets.faults import tables as fault_tables
from assets.launchpad.launch_fields import OWN_VALUES, launch_fields
from assets.run_inventory import note_first_failure

LOAD_RUN = "load_run_resource"
ASSETS = dg.load_assets_from_modules(
    [infrastructure, scenarios, metrics, fault_tables, history, reporting]
)
ALL = dg.AssetSelection.assets(
    *(key for one in ASSETS if isinstance(one, dg.AssetsDefinition) for key in one.keys)
)
"""What a load job materializes; a search for capacity, an interleaved comparison, a release and an
hour of a campaign are separate load runs, and a comparison has two sides. Metrics, verdicts,
history and report are in it rather than automated: they must follow each load at once and in order,
also when ``perf-pipeline run`` starts it without Dagster's daemon, which automation needs; and
nothing else ever makes them stale."""
HOOKS = frozenset({note_first_failure})


def load_config(**config: object) -> dict[str, object]:
    """Return the run configuration of a load job: fields of ``LoadRun``."""
    return {"resources": {LOAD_RUN: {"config": config}}}


def shown_config(scenario: str) -> dict[str, object]:
    """Return what the launchpad shows at first: what people change, with the scenario's values."""
    return load_config(**launch_fields(scenario))


def scenario_job(scenario: str, description: str) -> UnresolvedAssetJobDefinition:
    """Return the job of a built-in scenario, from servers to report."""
    return dg.define_asset_job(
        scenario,
        selection=ALL,
        config=shown_config(scenario),
        description=description,
        hooks=HOOKS,
    )


baseline = scenario_job("baseline", "Normal load on the target, from servers to report.")
scenario = dg.define_asset_job(
    "scenario",
    selection=ALL,
    config=load_config(**OWN_VALUES),
    description="The same for any scenario: set its file in the config. What is empty is as the "
    "scenario has it.",
    hooks=HOOKS,
)
