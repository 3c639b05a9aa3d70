"""Which campaign an hour belongs to, and which of its hours a partition is."""

from pathlib import Path
from typing import NamedTuple

import dagster as dg

from perf_pipeline.errors import CampaignError
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.first_partition import first_partition
from perf_pipeline.samples.campaign.hour import Hour

SOAK_TARGET = dg.AssetKey("soak_target")
FOLDER = "folder"
"""Metadata of ``soak_target``: the folder of the campaign that hours join."""

AGAIN = "materialize soak_target with new_campaign: true"


class Place(NamedTuple):
    """The place of a partition in a campaign.

    Attributes:
        hour: Its number.
        measured: The hour, if it was measured already.
        missing: Hours before it without a result.
    """

    hour: int
    measured: Hour | None
    missing: tuple[int, ...]


def current_campaign(instance: dg.DagsterInstance) -> CampaignFolder | None:
    """Return the campaign that ``soak_target`` began last; None where it began none."""
    event = instance.get_latest_materialization_event(SOAK_TARGET)
    found = event.asset_materialization if event else None
    folder = found.metadata.get(FOLDER) if found else None
    return None if folder is None else CampaignFolder(Path(str(folder.value)))


def campaign_to_join(instance: dg.DagsterInstance) -> CampaignFolder:
    """Return that campaign.

    Raises:
        CampaignError: There is none, or its folder is gone.
    """
    found = current_campaign(instance)
    if found is None:
        raise CampaignError(
            "There is no campaign that this hour could join: materialize soak_target first, which "
            "starts the target that lives across the hours."
        )
    if not found.campaign_file.exists():
        raise CampaignError(f"The campaign in {found.root} is gone: {AGAIN}.")
    return found


def is_over(folder: CampaignFolder) -> bool:
    """Return whether the last hour of a campaign has ended, or its folder is gone."""
    if not folder.campaign_file.exists():
        return True
    return any(one.hour + 1 >= folder.campaign().hours for one in folder.hours())


def place_of(folder: CampaignFolder, partition: str) -> Place:
    """Return which hour of a campaign a partition is; the first one asked for is its hour 0.

    Raises:
        CampaignError: It is none of the campaign's, or its turn has passed; in a sentence.
    """
    first = first_partition(folder, otherwise=partition)
    hour, hours = first.hour_of(partition), folder.campaign().hours
    there = {one.hour: one for one in folder.hours()}
    named = f"Partition {partition} is not an hour of campaign {folder.campaign_id}"
    if hour < 0:
        raise CampaignError(f"{named}, which began with {first.partition}: {AGAIN} to measure it.")
    if hour >= hours:
        raise CampaignError(
            f"{named}, whose {hours} hours end with {first.of_hour(hours - 1)}: materialize "
            "soak_target, which begins another campaign once the last hour has ended, or "
            f"{AGAIN}."
        )
    if hour not in there and max(there, default=-1) > hour:
        raise CampaignError(
            f"Partition {partition} (hour {hour}) was not measured when its turn was, and hour "
            f"{max(there)} of campaign {folder.campaign_id} has been since. The gap is recorded; "
            "an hour cannot be put in afterwards."
        )
    missing = tuple(one for one in range(hour) if one not in there)
    return Place(hour, there.get(hour), missing)
