"""Marks the Dagster runs whose process was killed as failed: nobody else may have noticed."""

import json
from collections.abc import Iterator

import dagster as dg

from assets.tags import PROCESS_TAG
from perf_pipeline.lifeline import ProcessStamp

UNFINISHED = dg.RunsFilter(
    statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING],
)


def mark_killed(instance: dg.DagsterInstance) -> Iterator[str]:
    """Mark the Dagster runs whose process was killed as failed; yield a line about each."""
    for run in instance.get_runs(UNFINISHED):
        process = run.tags.get(PROCESS_TAG)
        if process and ProcessStamp.from_json(json.loads(process)).is_gone():
            instance.report_run_failed(run, "the process of this run was killed")
            yield f"Dagster run {run.run_id} marked as failed: its process was killed"
