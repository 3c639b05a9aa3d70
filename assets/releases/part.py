"""The part of the code location whose assets have partitions."""

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from assets.releases import measurement
from assets.releases.partitions import releases
from assets.releases.sensor import new_target_version


class PartitionedPart(NamedTuple):
    """The part of the code location whose assets have partitions.

    Attributes:
        modules: Modules of its assets.
        jobs: Its jobs.
        sensors: Its sensors.
    """

    modules: tuple[ModuleType, ...] = ()
    jobs: tuple[dg.JobDefinition | UnresolvedAssetJobDefinition, ...] = ()
    sensors: tuple[dg.SensorDefinition, ...] = ()


def partitioned_part(arguments: Sequence[str]) -> PartitionedPart:
    """Return that part; nothing where a command selects assets and names no partition.

    ``dagster asset materialize --select '*'`` would be refused for the sake of one asset that has
    partitions. So it materializes what has none.

    Args:
        arguments: The command that loads the code location, ``sys.argv``.
    """
    if "materialize" in arguments and not any(one.startswith("--partition") for one in arguments):
        return PartitionedPart()
    return PartitionedPart(
        (measurement,), (measurement.measured_release, releases), (new_target_version,)
    )
