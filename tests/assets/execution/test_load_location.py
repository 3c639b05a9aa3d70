"""The part of the code location that ``perf-pipeline run`` executes."""

from __future__ import annotations

import pytest

from assets import definitions
from assets.execution import load_location

NAMES = [job.name for job in load_location.JOBS]


@pytest.mark.parametrize("name", NAMES)
def test_a_load_job_is_the_same_in_its_part_and_in_the_whole(name: str) -> None:
    """Dagster's id of a job is a hash of its steps, resources, configuration and lineage."""
    part = load_location.defs.resolve_job_def(name)
    whole = definitions.defs.resolve_job_def(name)
    assert part.get_job_snapshot_id() == whole.get_job_snapshot_id()


def test_the_part_has_the_jobs_that_the_command_runs() -> None:
    assert {job.name for job in load_location.defs.resolve_all_job_defs()} >= {
        "baseline",
        "scenario",
    }
