"""The code location: everything that Dagster shows of perf_pipeline."""

import sys
import warnings

import dagster as dg

from assets import capacity, jobs, schedules, sensors
from assets.execution import load_jobs, load_location
from assets.partitions.part import partitioned_part
from assets.refused_config import explain_refused_config
from assets.regression import ab, alerts, baselines, comparison
from assets.regression import verdict as comparison_verdict
from assets.shards.jobs import sharded_load

# Of `dagster asset materialize --select '*'`: what is beta is how Dagster reads the star.
warnings.filterwarnings("ignore", "Parameter `include_sources`", dg.BetaWarning)
explain_refused_config()
partitioned = partitioned_part(sys.argv)

defs = dg.Definitions(
    assets=[
        *load_jobs.ASSETS,
        *dg.load_assets_from_modules([capacity, comparison, ab, *partitioned.modules]),
    ],
    asset_checks=[
        *load_location.CHECKS,
        *dg.load_asset_checks_from_modules(
            [capacity, ab, comparison_verdict, *partitioned.modules]
        ),
    ],
    jobs=[
        *load_location.JOBS,
        jobs.stress,
        jobs.database,
        jobs.recovery,
        jobs.pressure,
        jobs.protections,
        jobs.recorded,
        jobs.capacity,
        jobs.ab,
        sharded_load,
        jobs.infrastructure_up,
        jobs.infrastructure_down,
        jobs.clearing,
        baselines.promote_baseline,
        comparison.compare_runs,
        *partitioned.jobs,
    ],
    schedules=[schedules.nightly_baseline, schedules.weekly_stress, *partitioned.schedules],
    sensors=[
        *partitioned.sensors,
        sensors.killed_runs,
        sensors.clear_after_failure,
        sensors.clear_after_cancel,
        alerts.regression_alerts,
    ],
    resources=load_location.RESOURCES,
    # The load runs in its own processes, so a process for each step would only add start-up time,
    # and servers that live in the run's process could not be shared between steps.
    executor=dg.in_process_executor,
)
