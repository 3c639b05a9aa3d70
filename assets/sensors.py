"""Sensors: a new release of the target is measured, and failed runs are cleared up after."""

import os
from collections.abc import Callable
from pathlib import Path

import dagster as dg
from packaging.version import InvalidVersion, Version

from assets import jobs
from assets.tags import CLEARED_TAG, FOLDER_TAG, NOT_MEASURED, PROCESS_TAG, VERDICT_TAG
from perf_pipeline.config.scenario.target_spec import target_fields
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.environment.environment import find_uv
from perf_pipeline.loadgen.environment.newest_release import newest_release, next_release
from perf_pipeline.samples.run_record import INTERRUPTED

PACKAGE = "kailash"
ASK_EVERY_S = 3600
CLEAR_EVERY_S = 60
"""Rare: each evaluation costs CPU time, also while a load run measures."""


def new_version_sensor(
    package: str, newest: Callable[[], str], following: Callable[[str], str]
) -> dg.SensorDefinition:
    """Make the sensor that measures each new release of a target's package, one a tick.

    Args:
        package: The package, which is also the target's name.
        newest: Asks which release is the newest; its errors are the tick's.
        following: Asks which release is the next after one; likewise.
    """

    @dg.sensor(
        name="new_target_version",
        job=jobs.baseline,
        minimum_interval_seconds=ASK_EVERY_S,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=f"Asks the package index each hour for the newest release of {package}, and "
        "runs the baseline on each new one, one an hour, the oldest first. The first tick only "
        "remembers which there is.",
    )
    def new_target_version(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        release, known = newest(), context.cursor
        if not known:
            context.update_cursor(release)
            return dg.SkipReason(f"{package} {release} is the newest now; waiting for another")
        if not is_newer(release, known):
            return dg.SkipReason(f"nothing newer than {package} {known}; the index says {release}")
        release = following(known)  # releases of the same hour are measured as well
        return dg.SensorResult(run_requests=[_measure_release(package, release)], cursor=release)

    return new_target_version


def _measure_release(package: str, release: str) -> dg.RunRequest:
    target = target_fields(f"{package}=={release}")
    return dg.RunRequest(
        run_key=release, run_config=jobs.load_config(scenario="baseline", **target)
    )


def is_newer(release: str, known: str) -> bool:
    """Return whether a release is later than the known one.

    Raises:
        PerfPipelineError: The index named one that is no version.
    """
    try:
        return Version(release) > Version(known)
    except InvalidVersion as error:
        raise PerfPipelineError(
            f"the index names {release!r} as the newest release (known: {known}), and one of the "
            "two is no version: look at the index that is configured (UV_INDEX_URL)"
        ) from error


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


def _newest() -> str:
    return newest_release(PACKAGE, find_uv(os.environ), os.environ)


def _following(release: str) -> str:
    return next_release(PACKAGE, release, find_uv(os.environ), os.environ)


new_target_version = new_version_sensor(PACKAGE, _newest, _following)
clear_after_failure = clearing_sensor(
    "clear_after_failure", dg.DagsterRunStatus.FAILURE, "failed or was killed"
)
clear_after_cancel = clearing_sensor(
    "clear_after_cancel", dg.DagsterRunStatus.CANCELED, "was cancelled"
)
