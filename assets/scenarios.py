"""Group scenarios: the load itself, played by worker processes."""

import dagster as dg

from assets.failure import refused_in_a_sentence
from assets.infrastructure import host_facts, seeded_data, servers
from assets.owners import OWNERS
from assets.resources import LoadRun
from assets.run_inventory import reporting_run_inventory
from assets.shown.progress import ProgressLog
from assets.tags import FOLDER_TAG, RECORDED_TAG
from perf_pipeline.report.run.inventory import inventory_commands
from perf_pipeline.report.text import quantity
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_inventory import (
    RunInventory,
    committed_inventory_of,
    run_inventory_of,
)


@dg.asset(
    group_name="scenarios",
    kinds={"python", "sqlite"},
    owners=OWNERS,
    deps=[host_facts, servers, seeded_data],
)
def load_run(context: dg.AssetExecutionContext, load_run_resource: LoadRun) -> dg.Output[str]:
    """Every level of the scenario, played and recorded; the value is the run's folder.

    Of a run that has ended already (``recorded``) nothing is played.

    While a level runs, an observation every few seconds shows its progress. When the run fails or
    is cancelled, the last one shows what is stored and how to read it.
    """
    with refused_in_a_sentence():
        recorded = load_run_resource.recorded_folder
        if recorded is not None:
            context.instance.add_run_tags(context.run.run_id, {RECORDED_TAG: str(recorded.root)})
            metadata = _stored(recorded, run_inventory_of(recorded))
            return dg.Output(str(recorded.root), metadata=metadata)
    run = load_run_resource.run
    context.instance.add_run_tags(context.run.run_id, {FOLDER_TAG: str(run.folder.root.resolve())})
    with reporting_run_inventory(context, run.folder):
        folder = run.load(on_progress=ProgressLog(context))
    return dg.Output(str(folder.root), metadata=_stored(folder, committed_inventory_of(folder)))


def _stored(folder: RunFolder, inventory: RunInventory) -> dict[str, str | dg.MetadataValue]:
    """Return what a run has stored, and how to read it."""
    record = folder.read_status()
    stopped = {"stopped": dg.MetadataValue.json(record["stopped"])} if "stopped" in record else {}
    return {
        "run_id": folder.run_id,
        "folder": dg.MetadataValue.path(str(folder.root)),
        "levels": quantity.count(inventory.levels),
        "records": quantity.count(inventory.records),
        "read it with": "; ".join(inventory_commands(inventory)),
        **stopped,
    }
