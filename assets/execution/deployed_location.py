"""The code location of the Compose stack: all of ``assets.definitions``, and what needs Docker."""

from importlib.util import find_spec

import dagster as dg
from dagster_docker import docker_executor

from assets import capacity, definitions
from assets.execution.load_jobs import HOOKS
from assets.launchpad.launch_fields import CAPACITY_VALUES

capacity_in_containers = dg.define_asset_job(
    "capacity_in_containers",
    selection=dg.AssetSelection.assets(capacity.found_capacity),
    config={"ops": {"found_capacity": {"config": CAPACITY_VALUES}}},
    description="The same search as capacity, each step in a container of its own: that of the "
    "search holds the host's load lock.",
    hooks=HOOKS,
    executor_def=docker_executor,
)

if find_spec("dagster_celery") is None:
    HOST_JOBS: list[
        dg.JobDefinition
    ] = []  # a checkout without the packages of `make host-setup`; the image has them
else:
    from assets.shards.host_jobs import JOBS as HOST_JOBS

defs = dg.Definitions.merge(
    definitions.defs, dg.Definitions(jobs=[capacity_in_containers, *HOST_JOBS])
)
