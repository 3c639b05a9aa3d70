"""Finished runs are explained only where they can be played again as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.explaining import side_of_run as module
from perf_pipeline.explaining.code_of_run import NotPlayedAgainError
from perf_pipeline.explaining.explain_comparison import explain_comparison, levels_by_weight
from perf_pipeline.explaining.side_of_run import side_of_run
from perf_pipeline.loadgen.environment.environment import TargetEnvironment
from perf_pipeline.metrics.profile_file import profile_of
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from tests.manifests import make_manifest
from tests.unit.report.comparison.conftest import change, comparison
from tests.unit.report.conftest import level

PACKAGES = {"kailash": "2.65.0", "redis": "6.4.0"}
TARGET = {"name": "kailash", "packages": PACKAGES}


def run(**manifest: Any) -> RunMetrics:
    """Return a run of two levels on a target with ``PACKAGES``."""
    levels = (level(0, "100", 100, 331.4), level(1, "500", 500, 288.1, nodes="lean"))
    known = {"target": TARGET, "seed": 7, **manifest}
    return RunMetrics("r-1", "complete", "valid", (), make_manifest(**known), levels, (), ())


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings on a machine where the target has ``PACKAGES``, whichever is asked for."""

    def made(*asked: object, **_more: object) -> dict[str, TargetEnvironment]:
        (target,) = asked[1]  # type: ignore[misc, attr-defined]
        return {target: TargetEnvironment(Path("/python"), "lock", PACKAGES)}

    monkeypatch.setattr(module, "made_and_tried", made)
    return replace(current_settings(), results_dir=tmp_path / "results", temp_dir=tmp_path)


def side(one: RunMetrics, settings: Settings, at: int = 1) -> Any:
    with side_of_run("old", one, one.levels[at], settings, lambda _line: None) as found:
        return found


def test_a_run_is_played_again_with_its_target_nodes_workflows_and_seed(
    settings: Settings,
) -> None:
    scenario = side(run(), settings).scenario
    assert (scenario.target, scenario.nodes, scenario.seed) == ("kailash", "lean", 7)
    assert [one.name for one in scenario.workloads] == ["transformation/simple"]
    assert side(run(), settings, at=0).scenario.nodes == "code"


def test_a_run_with_other_packages_than_are_installed_now_is_not_explained(
    settings: Settings,
) -> None:
    """Else both sides would be the same release, and nothing would differ."""
    older = run(target={**TARGET, "packages": {"kailash": "2.64.0", "redis": "6.4.0"}})
    with pytest.raises(NotPlayedAgainError, match=r"kailash 2\.64\.0 then, 2\.65\.0 now"):
        side(older, settings)


def test_the_level_with_the_worst_regression_is_explained_first() -> None:
    changes = (
        change("p99_s", "improvement", (0.5, 0.4, 0.6), level="10"),
        change("throughput_per_s", "regression", (0.95, 0.93, 0.97), "minor", level="100"),
        change("cpu_per_workflow_s", "regression", (1.4, 1.3, 1.5), "critical", level="500"),
    )
    assert levels_by_weight(comparison(changes, "regression")) == ["500", "100", "10"]


def test_sides_that_cannot_be_played_again_leave_a_profile_with_the_reason(
    settings: Settings,
) -> None:
    compared = comparison((change("p99_s", "regression", (1.4, 1.3, 1.5), "major"),), "regression")
    told: list[str] = []
    profile = explain_comparison(compared, settings, notify=told.append)
    assert "r-2 is not in" in profile.problem
    assert profile_of(settings.results_dir, compared.comparison_id) == profile
    assert told == []  # who shows the profile shows it, once
