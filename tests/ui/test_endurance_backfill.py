"""Hours of a campaign by backfills of the UI: of 10 s, and a day of them that is killed twice."""

from __future__ import annotations

import json
import os
import signal
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.tags import PROCESS_TAG
from perf_pipeline.campaign.hour_player import KILLED
from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from tests.assets.conftest import instance_of
from tests.assets.endurance.soak_scenario import soak_campaign
from tests.sandbox import WAIT_S, until
from tests.ui.backfills import (
    HOURLY,
    last_hours,
    launch_hours,
    materialized,
    played_in_order,
    wait_for_runs,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from tests.sandbox import Sandbox
    from tests.ui.conftest import Ui

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1500)]

DAY_S = 1200.0
"""Limit for a day of short hours on a busy machine."""

STEP_KILLED, DAEMON_KILLED = 5, 14


def test_a_day_of_hours_whose_step_and_daemon_are_killed_is_complete_with_two_gaps(
    ui: Ui, page: Page
) -> None:
    """The killed hour is recovered by the next one; the daemon's hour plays on without it.

    Hours follow each other as soon as the queue starts them. After each killing the time without
    load is in the record of the next hour.
    """
    partitions, begun = last_hours(24), datetime.now(UTC)
    with soak_campaign(ui.sandbox, hours=24, hour_seconds=3.0) as folder:
        page.goto(f"{ui.address}{HOURLY}")
        launch_hours(page, partitions)
        page.close()
        _wait_for_load(folder, STEP_KILLED)
        _kill_step(ui.sandbox)
        _wait_for_load(folder, DAEMON_KILLED)
        _kill_daemon(ui)
        assert until(lambda: folder.hour_file(DAEMON_KILLED).exists(), WAIT_S)
        ended_s = time.monotonic()
        ui.start()
        down_s = time.monotonic() - ended_s
        states = wait_for_runs(ui.sandbox, 24, begun, DAY_S)
    assert states == {"SUCCESS": 23, "FAILURE": 1}
    stored = stored_campaign(folder.root)
    hours = {one.hour: one for one in stored.hours}
    assert list(hours) == list(range(24))
    because = {one.hour: one.ended_because for one in stored.hours if not one.ran_to_end}
    assert because == {STEP_KILLED: KILLED}
    assert hours[STEP_KILLED].ended_s - hours[STEP_KILLED].begun_s < 3.0
    assert stored.breaks == ()
    usual_s = sorted(one.gap_before_s for one in stored.hours[1:])[len(hours) // 2]
    assert hours[DAEMON_KILLED + 1].gap_before_s > max(down_s, usual_s)
    assert {STEP_KILLED + 1, DAEMON_KILLED + 1} <= {one.hour for one in stored.gaps}
    lost = {partitions[STEP_KILLED]}
    assert {*partitions} - materialized(ui.sandbox, "endurance_hour") <= lost


def test_four_hours_of_10_s_are_played_by_a_backfill_of_the_assets_page(ui: Ui, page: Page) -> None:
    """Dagster's daemon looks for the next hour each 30 s; the target lives on in between."""
    partitions, begun = last_hours(4), datetime.now(UTC)
    with soak_campaign(ui.sandbox, hours=4, hour_seconds=10.0) as folder:
        page.goto(f"{ui.address}assets/endurance_hour")
        launch_hours(page, partitions)
        assert wait_for_runs(ui.sandbox, 4, begun, DAY_S) == {"SUCCESS": 4}
    played_in_order(folder, partitions)


def _wait_for_load(folder: CampaignFolder, hour: int) -> None:
    """Wait until the load of an hour runs: it has been sampled."""
    signals = folder.signals_file(hour)
    assert until(lambda: signals.exists() and signals.stat().st_size > 0, DAY_S)


def _kill_step(sandbox: Sandbox) -> None:
    """Kill the process in which the only run that has started executes its steps."""
    with instance_of(sandbox.dagster_home) as instance:
        (run,) = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))
    os.kill(json.loads(run.tags[PROCESS_TAG])[0], signal.SIGKILL)


def _kill_daemon(ui: Ui) -> None:
    """Kill Dagster's daemon; ``dagster dev`` then ends, and the UI with it."""
    (daemon,) = [
        pid for pid, line in ui.sandbox.processes().items() if "-m dagster._daemon run" in line
    ]
    os.kill(daemon, signal.SIGKILL)
    assert until(lambda: ui.process.poll() is not None, WAIT_S)
