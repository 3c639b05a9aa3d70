"""``first_partition.json``: the partition in Dagster that is hour 0 of a campaign.

A partition is an hour of the calendar, and so the number of any other hour follows from it. It is
written when the first hour begins, for that hour may be killed and have no result.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.samples.typed_file import read_typed

if TYPE_CHECKING:
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

SCHEMA_VERSION = 1
PARTITION_FORMAT = "%Y-%m-%d-%H:%M"
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class FirstPartition:
    """The partition of a campaign's hour 0.

    Attributes:
        partition: ``2026-11-29-23:00``, UTC.
    """

    partition: str

    def hour_of(self, partition: str) -> int:
        """Return the number of the hour that a partition is; negative before the first."""
        return (partition_start(partition) - partition_start(self.partition)) // _HOUR

    def of_hour(self, hour: int) -> str:
        """Return the partition that an hour is."""
        return partition_at(partition_start(self.partition) + hour * _HOUR)


def partition_start(partition: str) -> datetime:
    """Return when the hour of a partition begins, UTC."""
    return datetime.strptime(partition, PARTITION_FORMAT).replace(tzinfo=UTC)


def partition_at(moment: datetime) -> str:
    """Return the partition of the hour that a moment is in."""
    return moment.astimezone(UTC).replace(minute=0).strftime(PARTITION_FORMAT)


def first_partition(folder: CampaignFolder, otherwise: str) -> FirstPartition:
    """Return the partition of a campaign's hour 0.

    Args:
        folder: The campaign.
        otherwise: Becomes that of hour 0 where no hour has begun yet.

    Raises:
        RunFolderError: It is not what this version writes.
    """
    path = folder.root / "first_partition.json"
    if path.exists():
        return read_typed(path, FirstPartition, SCHEMA_VERSION)
    first = FirstPartition(otherwise)
    write_json(path, {"schema_version": SCHEMA_VERSION, **asdict(first)})
    return first
