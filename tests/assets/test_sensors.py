"""Each sensor and schedule by its tick, on a real instance in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from assets import jobs, schedules, sensors
from assets.definitions import defs
from assets.tags import FOLDER_TAG, PROCESS_TAG, VERDICT_TAG
from perf_pipeline.config.scenario.builtin import find_scenario
from perf_pipeline.lifeline import own_stamp, stamp
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def status_tick(
    instance: dg.DagsterInstance, sensor: dg.SensorDefinition, run: dg.DagsterRun
) -> dg.RunRequest | dg.SkipReason:
    event = dg.DagsterEvent(event_type_value="PIPELINE_FAILURE", job_name=run.job_name)
    context = dg.build_run_status_sensor_context(
        sensor_name=sensor.name, dagster_instance=instance, dagster_run=run, dagster_event=event
    )
    result = sensor(context)
    assert isinstance(result, (dg.RunRequest, dg.SkipReason))
    return result


@pytest.mark.parametrize("sensor", [sensors.clear_after_failure, sensors.clear_after_cancel])
def test_after_a_load_run_clearing_is_launched_for_its_folder_and_reports_what_is_stored(
    instance: dg.DagsterInstance,
    sensor: dg.SensorDefinition,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The request is executed as it is: its configuration fits the job."""
    for variable, name in (("XDG_STATE_HOME", "state"), ("TMPDIR", "tmp")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    folder = write_run(tmp_path / "results", "r-1", status="interrupted", measured=False).root
    tags = {PROCESS_TAG: json.dumps(own_stamp()), FOLDER_TAG: str(folder)}
    ended = instance.create_run_for_job(
        jobs.clearing, status=dg.DagsterRunStatus.CANCELED, tags=tags
    )
    request = status_tick(instance, sensor, ended)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == ended.run_id
    ran = jobs.clearing.execute_in_process(run_config=request.run_config, instance=instance)
    (observed,) = ran.asset_observations_for_node("clear_leftovers")
    assert observed.asset_key == dg.AssetKey("load_run")
    assert observed.metadata["records"].value == 1010
    assert (observed.description or "").startswith("Run r-1 is interrupted. Kept: 1,010 records")


def test_a_load_run_that_ended_before_its_load_is_cleared_up_after_too(
    instance: dg.DagsterInstance,
) -> None:
    tags = {PROCESS_TAG: json.dumps(own_stamp())}
    failed = instance.create_run_for_job(jobs.clearing, tags=tags)
    request = status_tick(instance, sensors.clear_after_failure, failed)
    assert isinstance(request, dg.RunRequest)
    assert request.run_config == {"ops": {"clear_leftovers": {"config": {}}}}


def test_a_run_that_was_killed_together_with_the_ui_no_longer_counts_as_running(
    instance: dg.DagsterInstance,
) -> None:
    """Nor does it hold the pool of the hours; a run whose process lives is left alone."""
    ended = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    stamps = {"killed": stamp(ended.pid), "lives": own_stamp()}
    runs = {
        name: instance.create_run_for_job(
            jobs.clearing, status=dg.DagsterRunStatus.STARTED, tags={PROCESS_TAG: json.dumps(one)}
        ).run_id
        for name, one in stamps.items()
    }
    ended.kill()
    ended.communicate()
    context = dg.build_sensor_context(instance=instance)
    said = sensors.killed_runs(context)
    assert isinstance(said, dg.SkipReason)
    assert said.skip_message == (
        f"Dagster run {runs['killed']} marked as failed: its process was killed"
    )
    (left,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    assert left.run_id == runs["lives"]
    again = sensors.killed_runs(context)
    assert isinstance(again, dg.SkipReason)
    assert again.skip_message == "no run was killed"


def test_clearing_that_fails_is_not_followed_by_clearing(instance: dg.DagsterInstance) -> None:
    failed = instance.create_run_for_job(jobs.clearing)
    result = status_tick(instance, sensors.clear_after_failure, failed)
    assert isinstance(result, dg.SkipReason)
    assert "had nothing to clear away" in str(result.skip_message)


@pytest.mark.parametrize(
    ("schedule", "job", "at"),
    [
        (schedules.nightly_baseline, "baseline", datetime(2026, 1, 15, 2, tzinfo=UTC)),
        (schedules.weekly_stress, "stress", datetime(2026, 1, 18, 4, tzinfo=UTC)),
    ],
)
def test_a_schedule_requests_its_scenario_at_its_hour(
    instance: dg.DagsterInstance, schedule: dg.ScheduleDefinition, job: str, at: datetime
) -> None:
    """From Wednesday noon on: the next night, the next Sunday; and it is off."""
    noon_s = datetime(2026, 1, 14, 12, tzinfo=UTC).timestamp()
    cron, zone = schedule.cron_schedule, schedule.execution_timezone
    assert next(schedule_execution_time_iterator(noon_s, cron, zone)) == at
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    (request,) = schedule.evaluate_tick(context).run_requests or ()
    config = request.run_config["resources"]["load_run_resource"]["config"]
    assert config == {"scenario": job}
    assert schedule.job_name == job
    shown = (defs.resolve_job_def(job).run_config or {})["resources"]["load_run_resource"]["config"]
    assert shown["scenario"] == job
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert find_scenario(job).is_file()


def test_a_run_that_failed_by_its_verdict_left_nothing_to_clear_away(
    instance: dg.DagsterInstance,
) -> None:
    tags = {PROCESS_TAG: json.dumps(own_stamp()), VERDICT_TAG: "missed"}
    failed = instance.create_run_for_job(
        jobs.clearing, status=dg.DagsterRunStatus.FAILURE, tags=tags
    )
    result = status_tick(instance, sensors.clear_after_failure, failed)
    assert isinstance(result, dg.SkipReason)
    assert "ran to its end; its verdict is missed" in str(result.skip_message)
