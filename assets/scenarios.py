"""Group scenarios: the load itself, played by worker processes."""

import dagster as dg

from assets.infrastructure import host_facts, seeded_data, servers
from assets.owners import OWNERS
from assets.progress import ProgressLog
from assets.resources import LoadRun
from assets.run_inventory import FOLDER_TAG, reporting_run_inventory
from perf_pipeline.report.run.inventory import inventory_commands
from perf_pipeline.samples.run_inventory import run_inventory_of

RUN_TAG = "perf_pipeline/run_id"


@dg.asset(
    group_name="scenarios",
    kinds={"python", "sqlite"},
    owners=OWNERS,
    deps=[host_facts, servers, seeded_data],
)
def load_run(context: dg.AssetExecutionContext, load_run_resource: LoadRun) -> dg.Output[str]:
    """Every level of the scenario, played and recorded; the value is the run's folder.

    While a level runs, an observation every few seconds shows its progress. When the run fails or
    is cancelled, the last one shows what is stored and how to read it.
    """
    run = load_run_resource.run
    tags = {RUN_TAG: run.run_id, FOLDER_TAG: str(run.folder.root.resolve())}
    context.instance.add_run_tags(context.run_id, tags)
    with reporting_run_inventory(context, run.folder):
        folder = run.load(on_progress=ProgressLog(context))
    record, inventory = folder.read_status(), run_inventory_of(folder)
    return dg.Output(
        str(folder.root),
        metadata={
            "run_id": folder.run_id,
            "folder": dg.MetadataValue.path(str(folder.root)),
            "levels": inventory.levels,
            "records": inventory.records,
            "read it with": "; ".join(inventory_commands(inventory)),
            **(
                {"stopped": dg.MetadataValue.json(record["stopped"])} if "stopped" in record else {}
            ),
        },
    )
