"""A campaign's hours on one living target, and what is left of them when something is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import polars as pl
import psutil
import pytest

from perf_pipeline.campaign.planned_campaign import planned_campaign
from perf_pipeline.endurance_run import (
    begin_campaign,
    end_campaign,
    end_target,
    play_hour,
    run_endurance,
)
from perf_pipeline.errors import RunFolderError
from perf_pipeline.loadgen.endurance.attachment import connect
from perf_pipeline.samples.campaign.hour import DEADLINE
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import Outcome
from perf_pipeline.samples.run_folder import read_json
from tests.integration.conftest import settings_in
from tests.integration.endurance.campaigns import RATE_PER_S, executed, soaked_scenario
from tests.sandbox import ROOT, WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.samples.campaign.hour import Hour

pytestmark = pytest.mark.integration


@pytest.fixture
def begun(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[CampaignFolder]:
    """A campaign of long hours whose target lives; it is ended after the test."""
    is_async = getattr(request, "param", "threads") == "tasks"
    scenario = soaked_scenario(tmp_path / "code", is_async=is_async, hour_seconds=600.0, twin=False)
    folder = begin_campaign(planned_campaign(scenario), settings_in(tmp_path))
    yield folder
    end_target(folder)


def test_hours_without_a_gap_play_every_workflow_once_on_one_living_target(tmp_path: Path) -> None:
    """Three hours of 1.5 s at 40/s: 180 workflows, 25 ms apart across the hours as within them."""
    code, heard = tmp_path / "code", []
    folder = run_endurance(
        planned_campaign(soaked_scenario(code)),
        settings_in(tmp_path),
        on_hour=lambda _folder, hour: heard.append(hour),
        partition_of=lambda hour: f"key-{hour}",
    )
    hours = folder.hours()
    assert heard == hours
    assert [(one.hour, one.partition) for one in hours] == [(n, f"key-{n}") for n in range(3)]
    assert [_sum_of(one) for one in hours] == [60, 60, 60]
    assert {one.ended_because for one in hours} == {DEADLINE}
    assert len({one.boot_id for one in hours}) == 1
    target = [one for one in executed(code) if one.number < 1_000_000_000]
    assert sorted(one.number for one in target) == list(range(180))
    assert len({one.pid for one in target}) == 1
    assert max(one.seen for one in target) == 180  # what the process keeps is kept
    starts = pl.concat(read_level(folder.hour_folder(n), 1).frame for n in range(3))
    between = starts["intended_start_ns"].sort().diff().drop_nulls()
    late_s = sum(one.gap_before_s for one in hours[1:])  # 0.0, unless the machine is busy
    assert between.median() == 1e9 / RATE_PER_S
    assert between.sum() == pytest.approx(1e9 * (179 / RATE_PER_S + late_s), abs=10)
    entries = read_json(next(folder.root.parent.glob("endurance_3h_*.json")))
    assert [entry["successful_workflows"] for entry in entries] == [one.ok for one in hours]
    assert connect(folder) is None
    _leaks_as_its_twin_alone(folder)


def _leaks_as_its_twin_alone(folder: CampaignFolder) -> None:
    """The twin keeps an object a workflow, which is a block of memory or more; the target none."""
    samples = [one for hour in range(3) for one in folder.signals(hour)]
    first, last = samples[len(samples) // 3], samples[-1]
    workflows = last.workflows - first.workflows
    grown = {
        who: last.values[f"{who}.heap_blocks"] - first.values[f"{who}.heap_blocks"]
        for who in ("target", "twin")
    }
    assert grown["twin"] - grown["target"] > 0.7 * workflows > 20


def test_a_killed_hour_is_recovered_and_the_next_one_attaches_to_the_same_target(
    tmp_path: Path, begun: CampaignFolder
) -> None:
    """The load of the killed hour stops; each workflow that was executed is in its journal."""
    code = tmp_path / "code"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.endurance.hour_process", begun.root, "0"],
        cwd=ROOT,
    )
    _wait_until(lambda: len(executed(code)) > 30)
    process.kill()
    process.wait()
    heard = play_hour(begun, settings_in(tmp_path), 1, length_s=1.0)
    killed, after = begun.hours()
    assert after == heard
    assert "killed" in killed.ended_because
    assert after.ended_because == DEADLINE
    assert killed.boot_id == after.boot_id
    assert _sum_of(killed) < 600 * RATE_PER_S / 2
    assert after.gap_before_s == pytest.approx(after.begun_s - killed.ended_s)
    assert after.gap_before_s > 0.0
    done = executed(code)
    first = [one for one in done if one.number < 600 * RATE_PER_S]
    frame = read_level(begun.hour_folder(0), 1).frame.filter(pl.col("outcome") == int(Outcome.OK))
    assert set(frame["number"].to_list()) == {one.number for one in first}
    assert killed.ok == len(first)
    assert len(done) == killed.ok + after.ok
    assert len({one.pid for one in done}) == 1
    assert max(one.seen for one in done) == len(done)
    with pytest.raises(RunFolderError, match=r"hour 1 .* was played already"):
        play_hour(begun, settings_in(tmp_path), 1)
    with pytest.raises(RunFolderError, match=r"hour 3 is none of .* 0 to 2"):
        play_hour(begun, settings_in(tmp_path), 3)


@pytest.mark.parametrize(
    ("victim", "begun"), [("keeper", "tasks"), ("worker", "threads")], indirect=["begun"]
)
def test_a_target_that_is_killed_ends_the_hour_and_the_next_one_has_a_new_boot_id(
    victim: str, tmp_path: Path, begun: CampaignFolder
) -> None:
    """Whether the keeper is killed or the process with load and target: nothing is joined."""
    code = tmp_path / "code"
    living = connect(begun)
    assert living is not None
    living.close()
    pid = living.keeper_pid if victim == "keeper" else living.pids[0]

    def kill() -> None:
        _wait_until(lambda: len(executed(code)) > 30)
        os.kill(pid, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    broken = play_hour(begun, settings_in(tmp_path), 0)
    killer.join()
    after = play_hour(begun, settings_in(tmp_path), 1, length_s=0.5)
    assert broken.ended_because.startswith("the target ended: ")
    assert broken.boot_id != after.boot_id
    assert _sum_of(broken) < 600 * RATE_PER_S / 2
    assert broken.ok + broken.errors + broken.abandoned >= len(
        [one for one in executed(code) if one.pid == living.pids[0]]
    )
    assert after.ok == after.scheduled == 20
    assert after.gap_before_s > 0.0
    assert not psutil.pid_exists(living.pids[0])


def test_a_target_ends_when_no_hour_comes_for_the_length_of_its_lease(tmp_path: Path) -> None:
    """A lease of one second, and nobody attaches."""
    scenario = soaked_scenario(tmp_path / "code", lease_s=1.0, twin=False)
    folder = begin_campaign(planned_campaign(scenario), settings_in(tmp_path))
    living = connect(folder)
    assert living is not None
    living.close()
    _wait_until(lambda: not psutil.pid_exists(living.keeper_pid))
    assert not psutil.pid_exists(living.pids[0])
    (boot,) = folder.boots.iterdir()
    assert "no hour renewed it for 1 s" in read_json(boot / "end.json")["because"]
    assert end_campaign(folder).name.startswith("endurance_3h_")


def _sum_of(hour: Hour) -> int:
    """Return what was scheduled, which is exactly the sum of the five outcomes."""
    outcomes = (hour.ok, hour.errors, hour.timeouts, hour.dropped, hour.abandoned)
    assert hour.scheduled == sum(outcomes)
    return hour.scheduled


def _wait_until(is_true: Callable[[], bool]) -> None:
    until_s = time.monotonic() + WAIT_S
    while not is_true():
        assert time.monotonic() < until_s
        time.sleep(0.05)
