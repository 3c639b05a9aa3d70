"""Tags of Dagster runs: three that people filter the run list by, and those that only code reads.

Dagster shows no tag that begins with ``.dagster/``, neither in the list nor on the run's page.
"""

import json

import dagster as dg

from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.lifeline import own_stamp

SCENARIO_TAG, TARGET_TAG, VERDICT_TAG = "scenario", "target", "verdict"
NOT_MEASURED = "not_measured"
"""Verdict of a run that was refused, or failed before it measured anything."""

_HIDDEN = ".dagster/perf_pipeline_"
PROCESS_TAG = f"{_HIDDEN}process"
"""Who executes a Dagster run: process id, start and boot, so that clearing knows if it is dead."""
FOLDER_TAG = f"{_HIDDEN}folder"
"""The folder of the load run, for whatever handles the end of the Dagster run."""
GATE_TAG = f"{_HIDDEN}gate"
"""The table of targets that the run must meet, for the step that judges it."""
RECORDED_TAG = f"{_HIDDEN}recorded"
"""The folder of a run that had ended before the Dagster run began, which only records it."""
BEFORE_OTHERS = {"dagster/priority": "1"}
"""Tag of the steps that lead to the report: people wait for it, and not for history and checks."""
OF_RELEASES = ("partitions", "releases")
"""Tag of the assets with a partition a release, which a command may not have (``releases.py``)."""
CLEARED_TAG = f"{_HIDDEN}cleared_after"
"""The run that a clearing run clears up after."""


def run_tags(scenario: Scenario) -> dict[str, str]:
    """Return the tags by which a Dagster run is filtered for, and cleared when it was killed."""
    return {
        SCENARIO_TAG: scenario.name,
        TARGET_TAG: scenario.target,
        PROCESS_TAG: json.dumps(own_stamp()),
    }


def is_recorded(context: dg.AssetExecutionContext) -> bool:
    """Return whether the Dagster run only records a run that had ended before."""
    run = context.instance.get_run_by_id(context.run.run_id)
    return run is not None and RECORDED_TAG in run.tags
