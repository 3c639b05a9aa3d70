"""Group infrastructure: the host, the servers of a run, and what they are seeded with."""

from dataclasses import asdict

import dagster as dg

from assets.owners import OWNERS
from assets.resources import LoadRun
from assets.run_inventory import ending_as_canceled
from perf_pipeline.config.settings import current_settings
from perf_pipeline.host.facts import read_host_facts
from perf_pipeline.report.text.quantity import rounded

GROUP = "infrastructure"


@dg.asset(group_name=GROUP, kinds={"python"}, owners=OWNERS)
def host_facts() -> dg.MaterializeResult[None]:
    """What this machine is: processor, memory, kernel, limits."""
    facts = asdict(read_host_facts(current_settings().temp_dir))
    scheduling = facts.pop("scheduling") or {}
    shown = facts | {f"scheduling {name}": value for name, value in scheduling.items()}
    return dg.MaterializeResult(metadata=dict(map(_fact, shown.items())))


def _fact(named: tuple[str, object]) -> tuple[str, str | float]:
    """Return a fact with a unit that people read: amounts in GB."""
    name, value = named
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name.endswith("_bytes"):
            return f"{name.removesuffix('_bytes')}_gb", rounded(value / 1e9)
        return name, rounded(value)
    return name, "none" if value is None else str(value)


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
