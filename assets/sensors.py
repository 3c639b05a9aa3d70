"""Sensors: killed runs are marked, failed and cancelled load runs are cleared up after."""

from pathlib import Path

import dagster as dg

from assets import jobs
from assets.execution.killed_runs import mark_killed
from assets.tags import CLEARED_TAG, FOLDER_TAG, NOT_MEASURED, PROCESS_TAG, VERDICT_TAG
from perf_pipeline.samples.run_record import INTERRUPTED

CLEAR_EVERY_S = 60
"""Rare: each evaluation costs CPU time, also while a load run measures."""


@dg.sensor(
    name="killed_runs",
    minimum_interval_seconds=CLEAR_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A run that was killed together with the UI, which would have noticed, is marked "
    "as failed: it would keep its place in the queue, and the hours of a campaign waiting.",
)
def killed_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Mark them; none is launched."""
    return dg.SkipReason("; ".join(mark_killed(context.instance)) or "no run was killed")


def clearing_sensor(name: str, status: dg.DagsterRunStatus, ended: str) -> dg.SensorDefinition:
    """Make a sensor that clears up after load runs that ended with ``status``."""

    @dg.run_status_sensor(
        name=name,
        run_status=status,
        request_job=jobs.clearing,
        minimum_interval_seconds=CLEAR_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"After a load run that {ended}: removes what it left on servers and in "
        "temporary folders, and reports what is stored of it. Other runs are left alone.",
    )
    def clear(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        return _clear_after(context.dagster_run)

    return clear


def _clear_after(run: dg.DagsterRun) -> dg.RunRequest | dg.SkipReason:
    if PROCESS_TAG not in run.tags:
        return dg.SkipReason(f"run {run.run_id} of {run.job_name} had nothing to clear away")
    verdict = run.tags.get(VERDICT_TAG, NOT_MEASURED)
    if verdict not in (NOT_MEASURED, INTERRUPTED):
        return dg.SkipReason(f"run {run.run_id} ran to its end; its verdict is {verdict}")
    folder = run.tags.get(FOLDER_TAG)  # none when it ended before its load began
    config = {"run_folder": folder, "results_dir": str(Path(folder).parent)} if folder else {}
    return dg.RunRequest(
        run_key=run.run_id,
        run_config={"ops": {"clear_leftovers": {"config": config}}},
        tags={CLEARED_TAG: run.run_id},
    )


clear_after_failure = clearing_sensor(
    "clear_after_failure", dg.DagsterRunStatus.FAILURE, "failed or was killed"
)
clear_after_cancel = clearing_sensor(
    "clear_after_cancel", dg.DagsterRunStatus.CANCELED, "was cancelled"
)
