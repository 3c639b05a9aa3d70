"""The schedule of the hours, ticked by a real daemon."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType

from perf_pipeline.samples.campaign.first_partition import partition_at
from tests.assets.conftest import instance_of
from tests.assets.endurance.soak_scenario import soak_campaign
from tests.sandbox import WAIT_S, Sandbox, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_tick_of_the_daemon_plays_the_hour_of_the_clock_and_further_ticks_do_not_play_it_again(
    tmp_path: Path,
) -> None:
    """The cron is each minute here. The job joins the campaign, whose hours are short.

    Dagster takes a run key to be one of a tick, so each tick of an hour has a run: the second one
    finds the hour played, and leaves it.
    """
    sandbox = Sandbox(tmp_path)
    try:
        with soak_campaign(sandbox, hours=3, hour_seconds=2.0):
            sandbox.start(
                *("dagster-daemon", "run", "-m", "tests.assets.endurance.each_minute"),
                log=tmp_path / "daemon.out",
            )
            assert until(lambda: len(_ticks(sandbox)) >= 2, WAIT_S, every_s=1.0)
            hours = {partition_at(at) for at in _ticks(sandbox)}
            assert until(lambda: _played(sandbox) >= hours, WAIT_S, every_s=1.0)
            first = _begun(sandbox)
            assert until(lambda: len(_succeeded(sandbox)) >= 2, WAIT_S, every_s=1.0)
            assert _begun(sandbox) == first
            assert len(first) == len(hours)
    finally:
        sandbox.close()
    runs = _runs(sandbox)
    assert {run.tags["dagster/partition"] for run in runs} >= hours
    assert {run.job_name for run in runs} == {"endurance_hourly"}
    assert {run.tags["scenario"] for run in runs} == {"soak"}


def _ticks(sandbox: Sandbox) -> list[datetime]:
    """Return when the schedule has ticked, as far as the ticks have ended."""
    with instance_of(sandbox.dagster_home) as instance:
        states = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
        ticks = [
            tick
            for state in states
            for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
        ]
    return [datetime.fromtimestamp(tick.timestamp, UTC) for tick in ticks if tick.is_completed]


def _played(sandbox: Sandbox) -> set[str]:
    """Return the hours whose runs have succeeded."""
    return {run.tags["dagster/partition"] for run in _succeeded(sandbox)}


def _succeeded(sandbox: Sandbox) -> list[dg.DagsterRun]:
    return [run for run in _runs(sandbox) if run.status is dg.DagsterRunStatus.SUCCESS]


def _begun(sandbox: Sandbox) -> dict[str, bytes]:
    """Return what each hour noted when it began; one that is played again notes another moment."""
    files = sorted(sandbox.results.glob("*/hours/*/begun.json"))
    return {str(file.relative_to(sandbox.results)): file.read_bytes() for file in files}


def _runs(sandbox: Sandbox) -> list[dg.DagsterRun]:
    """Return the runs that a schedule has requested."""
    with instance_of(sandbox.dagster_home) as instance:
        return [run for run in instance.get_runs() if "dagster/schedule_name" in run.tags]
