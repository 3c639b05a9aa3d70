"""The part of the code location that a load run executes, and nothing else of it.

What an asset needs to do its work is imported when it does it: polars, numpy, the analysis and the
report take as long to import as Dagster itself, and a load begins that much sooner.
"""

import dagster as dg

from assets import checks, verdict
from assets.execution import load_jobs
from assets.regression import alerts
from assets.resources import LoadRun
from assets.run_values import run_values
from assets.shown.end_summary import end_summary

CHECKS = dg.load_asset_checks_from_modules([checks, verdict, alerts])
JOBS = (load_jobs.baseline, load_jobs.scenario)
RESOURCES = {
    load_jobs.LOAD_RUN: LoadRun(),
    "io_manager": run_values,
    "end_summary": end_summary,
}

defs = dg.Definitions(
    assets=load_jobs.ASSETS,
    asset_checks=CHECKS,
    jobs=JOBS,
    resources=RESOURCES,
    executor=dg.in_process_executor,
)
