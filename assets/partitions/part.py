"""The part of the code location whose assets have partitions."""

from collections.abc import Sequence
from types import ModuleType
from typing import NamedTuple

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)

from assets.endurance import gapless, hours, schedule, trend
from assets.releases import measurement
from assets.releases.partitions import releases
from assets.releases.sensor import new_target_version


class PartitionedPart(NamedTuple):
    """The part of the code location whose assets have partitions.

    Attributes:
        modules: Modules of its assets and checks.
        jobs: Its jobs.
        schedules: Its schedules.
        sensors: Its sensors.
    """

    modules: tuple[ModuleType, ...] = ()
    jobs: tuple[dg.JobDefinition | UnresolvedAssetJobDefinition, ...] = ()
    schedules: tuple[dg.ScheduleDefinition, ...] = ()
    sensors: tuple[dg.SensorDefinition, ...] = ()


NAMED = ("release_", "soak_target", "endurance_")
"""What the name of each asset of that part begins with."""


def partitioned_part(arguments: Sequence[str]) -> PartitionedPart:
    """Return that part; nothing where a command selects assets, none of these and no partition.

    ``dagster asset materialize --select '*'`` would be refused for the sake of one asset that has
    partitions, and would begin an endurance campaign. So it materializes what has none.

    Args:
        arguments: The command that loads the code location, ``sys.argv``.
    """
    has_partition = any(one.startswith("--partition") for one in arguments)
    is_named = any(name in one for one in arguments for name in NAMED)
    if "materialize" in arguments and not has_partition and not is_named:
        return PartitionedPart()
    return PartitionedPart(
        (measurement, hours, trend),
        (measurement.measured_release, releases, schedule.hourly, gapless.endurance),
        (schedule.endurance_current_hour,),
        (new_target_version,),
    )
