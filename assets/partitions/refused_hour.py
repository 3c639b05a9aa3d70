"""Why a partition that Dagster does not know is no hour that can be measured, in a sentence."""

from collections.abc import Sequence
from datetime import UTC, datetime

from assets.endurance.partitions import first_day
from perf_pipeline.samples.campaign.first_partition import partition_at, partition_start


def refused_hour(arguments: Sequence[str], now: datetime) -> str:
    """Return why the hour that a command names cannot be measured; empty if it names none.

    Args:
        arguments: Of the command, ``sys.argv``.
        now: The present.
    """
    named = _partition_in(arguments)
    if not named or not any("endurance_hour" in one for one in arguments):
        return ""
    current = partition_at(now)
    try:
        start = partition_start(named)
    except ValueError:
        return f'"{named}" is no hour: write one like {current}, the current one (UTC).'
    if start > now.astimezone(UTC):
        return (
            f"{named} (UTC) lies in the future, where nothing can be measured. The last hour that "
            f"can be is the current one, {current}; the schedule endurance_current_hour measures "
            "each hour as it begins."
        )
    if partition_at(start) != named:
        return f"{named} is no full hour: write {partition_at(start)}."
    return (
        f"{named} lies before {partition_at(first_day(now))}, the first hour that is offered. The "
        "pages of older campaigns are in the results folder."
    )


def _partition_in(arguments: Sequence[str]) -> str:
    for place, one in enumerate(arguments):
        if one == "--partition":
            return "".join(arguments[place + 1 : place + 2])
        if one.startswith("--partition="):
            return one.partition("=")[2]
    return ""
