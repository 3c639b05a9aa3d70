"""Group scenarios: the load itself, played by worker processes of its own."""

import dagster as dg

from assets.infrastructure import host_facts, seeded_data, servers
from assets.progress import ProgressLog
from assets.resources import LoadRun

RUN_TAG = "perf_pipeline/run_id"


@dg.asset(group_name="scenarios", kinds={"python"}, deps=[host_facts, servers, seeded_data])
def load_run(context: dg.AssetExecutionContext, load_run_resource: LoadRun) -> dg.Output[str]:
    """Every level of the scenario, played and recorded; the value is the run's folder."""
    run = load_run_resource.run
    context.instance.add_run_tags(context.run_id, {RUN_TAG: run.run_id})
    folder = run.load(on_progress=ProgressLog(context))
    record = folder.read_status()
    return dg.Output(
        str(folder.root),
        metadata={
            "run_id": folder.run_id,
            "folder": dg.MetadataValue.path(str(folder.root)),
            "levels": len(folder.level_folders()),
            **(
                {"stopped": dg.MetadataValue.json(record["stopped"])} if "stopped" in record else {}
            ),
        },
    )
