"""The partitions of ``endurance_hour``: the hours of the calendar, UTC, up to the current one."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from perf_pipeline.samples.campaign.first_partition import PARTITION_FORMAT


def first_day(now: datetime) -> datetime:
    """Return the first day of the month before: the UI shows a bar with every hour since then."""
    return (now.replace(day=1) - timedelta(days=1)).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )


HOURS = dg.HourlyPartitionsDefinition(
    start_date=first_day(datetime.now(UTC)),
    timezone="UTC",
    fmt=PARTITION_FORMAT,
    end_offset=1,  # the hour that has begun is the one that is measured
)
