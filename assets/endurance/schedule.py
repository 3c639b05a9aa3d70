"""The hour of the clock, each hour. Off until somebody switches it on."""

import dagster as dg

from assets.run_inventory import note_first_failure
from perf_pipeline.samples.campaign.first_partition import partition_at

hourly = dg.define_asset_job(
    "endurance_hourly",
    selection=dg.AssetSelection.assets(
        "soak_target", "endurance_hour", "endurance_trend", "endurance_report"
    ),
    description="One hour of a campaign with the trend and the report so far; a backfill of it "
    "plays several, one after the other. It begins a campaign where none goes on.",
    hooks=frozenset({note_first_failure}),
)


@dg.schedule(
    name="endurance_current_hour",
    job=hourly,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="Each hour on the hour: that hour of the clock is measured, on the target that "
    "lives across the hours.",
)
def endurance_current_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Request the hour that has just begun.

    A schedule made from a partitioned job would take the last partition that exists.
    """
    partition = partition_at(context.scheduled_execution_time)
    return dg.RunRequest(run_key=partition, partition_key=partition)
