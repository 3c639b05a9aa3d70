"""The failures of a level begin and end with its steady phase."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.loadgen import level_faults
from perf_pipeline.loadgen.level_faults import LevelFaults
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_log import new_log
from perf_pipeline.samples.fault_log import FAULTS_FILE, line

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan

WINDOW = FaultWindow("server_freeze", "redis", 1.0, 2.0)


class _Play:
    """Notes what it is asked to do."""

    pid = 5

    def __init__(self) -> None:
        self.calls: list[object] = []

    def wait_until_ready(self) -> None:
        self.calls.append("ready")

    def begin(self, steady_ns: int) -> None:
        self.calls.append(steady_ns)

    def end(self) -> None:
        self.calls.append("end")

    def look(self) -> str:
        return "a floor"

    def stop(self) -> list[str]:
        self.calls.append("stop")
        return ["swept"]


@pytest.fixture
def plan() -> LevelPlan:
    """A level of one workload and one failure."""
    workloads = (Workload("transformation", "simple"),)
    scenario = Scenario("x", concurrency=(1,), workloads=workloads, faults=(WINDOW,))
    return plan_levels(scenario, 1)[0]


def test_they_follow_the_steady_phase_and_say_what_went_wrong(
    plan: LevelPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = _Play()
    monkeypatch.setattr(level_faults, "play_faults", lambda *_, **__: play)
    faults = LevelFaults(plan, {}, tmp_path, tmp_path)
    log = new_log(plan)
    for steady in (None, (5, None), (5, 9)):
        if steady is not None:
            log.phases_ns["steady"] = steady
        faults.follow(log)
    assert play.calls == ["ready", 5, 5, "end"]
    assert faults.host_floor() == "a floor"
    assert faults.pids == [5]
    with (tmp_path / FAULTS_FILE).open("w") as file:
        file.write(line(0, "planned", 0, window=vars(WINDOW)))
        file.write(line(0, "refused", 0, reason="no room"))
    assert faults.stop() == ["server_freeze on redis: no room", "swept"]
    with (tmp_path / FAULTS_FILE).open("a") as file:
        file.write(line(0, "not_possible", 0, reason="no disk"))
    assert faults.stop()[0] == "server_freeze on redis: not possible here: no disk"


def test_a_level_without_failures_starts_nothing(
    plan: LevelPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(level_faults, "play_faults")
    faults = LevelFaults(replace(plan, faults=()), {}, tmp_path, tmp_path)
    faults.follow(new_log(plan))
    assert faults.host_floor() == ""
    assert faults.stop() == []
    assert list(tmp_path.iterdir()) == []
