"""The code location: everything that Dagster shows of perf_pipeline.

What an asset needs to do its work is imported when it does it: polars, numpy, the analysis and the
report take as long to import as Dagster itself, and a load begins that much sooner.
"""

import sys
import warnings

import dagster as dg

from assets import (
    capacity,
    checks,
    history,
    infrastructure,
    jobs,
    metrics,
    reporting,
    scenarios,
    schedules,
    sensors,
    verdict,
)
from assets.faults import tables as fault_tables
from assets.partitions.part import partitioned_part
from assets.refused_config import explain_refused_config
from assets.regression import ab, alerts, baselines, comparison
from assets.regression import verdict as comparison_verdict
from assets.resources import LoadRun
from assets.run_values import run_values
from assets.shown.end_summary import end_summary

# Of `dagster asset materialize --select '*'`: what is beta is how Dagster reads the star.
warnings.filterwarnings("ignore", "Parameter `include_sources`", dg.BetaWarning)
explain_refused_config()
partitioned = partitioned_part(sys.argv)

defs = dg.Definitions(
    assets=dg.load_assets_from_modules(
        [
            infrastructure,
            scenarios,
            metrics,
            fault_tables,
            history,
            reporting,
            capacity,
            comparison,
            ab,
            *partitioned.modules,
        ]
    ),
    asset_checks=dg.load_asset_checks_from_modules(
        [checks, verdict, capacity, ab, alerts, comparison_verdict, *partitioned.modules]
    ),
    jobs=[
        jobs.baseline,
        jobs.stress,
        jobs.database,
        jobs.recovery,
        jobs.pressure,
        jobs.protections,
        jobs.scenario,
        jobs.recorded,
        jobs.capacity,
        jobs.ab,
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
    resources={
        jobs.LOAD_RUN: LoadRun(),
        "io_manager": run_values,
        "end_summary": end_summary,
    },
    # The load runs in its own processes, so a process for each step would only add start-up time,
    # and servers that live in the run's process could not be shared between steps.
    executor=dg.in_process_executor,
)
