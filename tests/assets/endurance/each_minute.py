"""The code location with the schedule of the hours on, and its cron each minute: nobody waits."""

import dagster as dg

from assets import definitions
from assets.endurance.schedule import endurance_current_hour, hourly


@dg.schedule(
    name="each_minute",
    job=hourly,
    cron_schedule="* * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def each_minute(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Request what the schedule of the hours requests."""
    request = endurance_current_hour(context)
    assert isinstance(request, dg.RunRequest)
    return request


defs = dg.Definitions.merge(definitions.defs, dg.Definitions(schedules=[each_minute]))
