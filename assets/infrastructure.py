"""Group infrastructure: the host, the servers of a run, and what they are seeded with."""

from dataclasses import asdict

import dagster as dg

from assets.owners import OWNERS
from assets.resources import LoadRun
from assets.run_inventory import ending_as_canceled
from perf_pipeline.config.settings import current_settings
from perf_pipeline.host.facts import read_host_facts

GROUP = "infrastructure"


@dg.asset(group_name=GROUP, kinds={"python"}, owners=OWNERS)
def host_facts() -> dg.MaterializeResult[None]:
    """What this machine is: processor, memory, kernel, limits."""
    facts = asdict(read_host_facts(current_settings().temp_dir))
    return dg.MaterializeResult(metadata={k: "none" if v is None else v for k, v in facts.items()})


@dg.asset(group_name=GROUP, kinds={"postgres", "mysql", "redis"}, owners=OWNERS)
def servers(
    context: dg.AssetExecutionContext, load_run_resource: LoadRun
) -> dg.MaterializeResult[None]:
    """The servers of the run: found or started, answering, and gone when the run ends."""
    with ending_as_canceled(context):
        found = load_run_resource.run.open_servers()
    lines = {
        name: f"{server.facts.product} {server.facts.version} at {server.redacted_url} "
        f"({server.source})"
        for name, server in found.items()
    }
    return dg.MaterializeResult(metadata=lines)


@dg.asset(group_name=GROUP, kinds={"postgres", "mysql", "redis"}, owners=OWNERS, deps=[servers])
def seeded_data(
    context: dg.AssetExecutionContext, load_run_resource: LoadRun
) -> dg.MaterializeResult[None]:
    """The rows that the workflows read, in a schema and under a prefix of the run's own."""
    with ending_as_canceled(context):
        rows = load_run_resource.run.seed_data()
    return dg.MaterializeResult(metadata={f"rows_{name}": count for name, count in rows.items()})
