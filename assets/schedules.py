"""Load runs at fixed times. Off until somebody switches them on: load needs a machine to itself."""

import dagster as dg

from assets import jobs
from assets.execution.load_jobs import baseline, load_config

ZONE = "UTC"

nightly_baseline = dg.ScheduleDefinition(
    name="nightly_baseline",
    job=baseline,
    cron_schedule="0 2 * * *",
    execution_timezone=ZONE,
    run_config=load_config(scenario="baseline"),
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The baseline each night at 02:00 UTC; it waits for a load run that is active.",
)
weekly_stress = dg.ScheduleDefinition(
    name="weekly_stress",
    job=jobs.stress,
    cron_schedule="0 4 * * 0",
    execution_timezone=ZONE,
    run_config=load_config(scenario="stress"),
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="The stress test on Sundays at 04:00 UTC, after the night's baseline.",
)
