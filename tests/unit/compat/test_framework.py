"""What LoadTestFramework does between its runs; the runs themselves are played elsewhere."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.compat import framework as module
from perf_pipeline.compat.framework import LoadTestFramework
from perf_pipeline.compat.load_test_config import LoadTestConfig
from perf_pipeline.compat.named_load import NamedLoad

if TYPE_CHECKING:
    from collections.abc import Callable


class World:
    """A clock on which a run takes 100 s, and the rests before each run."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.rests_s: list[float] = []
        self.runs = 0

    def clock(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.rests_s.append(seconds)
        self.now_s += seconds

    def run(self, *_arguments: Any, **_options: Any) -> Any:
        self.now_s += 100
        self.runs += 1
        return self

    metrics = property(lambda self: self)
    levels = (SimpleNamespace(label="one", connections=()),)
    run_id = "20241201_120000-4f2c"


def _database(framework: LoadTestFramework) -> None:
    framework.run_database_stress_test([NamedLoad("one", {})])


METHODS: dict[str, tuple[Callable[[LoadTestFramework], object], int]] = {
    "execute_concurrent_workflows": (LoadTestFramework.execute_concurrent_workflows, 1),
    "execute_single_workflow": (LoadTestFramework.execute_single_workflow, 1),
    "run_baseline_performance_test": (LoadTestFramework.run_baseline_performance_test, 1),
    "run_database_stress_test": (_database, 1),
    "run_resource_pressure_test": (LoadTestFramework.run_resource_pressure_test, 4),
}


@pytest.mark.parametrize("method", METHODS)
def test_the_host_rests_between_two_levels_whichever_methods_run_them(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the first level there is nothing to rest from; 5 of the 7 s pass by themselves."""
    world = World()
    monkeypatch.setattr(module, "run_scenario", world.run)
    monkeypatch.setattr(module, "performance_metrics", lambda *_arguments: None)
    monkeypatch.setattr(module, "single_execution", lambda _metrics, _folder: None)
    framework = LoadTestFramework(
        LoadTestConfig(cooldown_duration=7), clock=world.clock, sleep=world.sleep
    )
    call, runs = METHODS[method]
    call(framework)
    assert world.rests_s == [7.0] * (runs - 1)
    world.now_s += 5
    call(framework)
    assert world.rests_s == [7.0] * (runs - 1) + [2.0] + [7.0] * (runs - 1)
