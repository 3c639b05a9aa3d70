"""Releases are installed and tried before they are compared; what fails is named."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.bisect.budget import Budget
from perf_pipeline.bisect.release_arm import ReleaseArm, last_lines, missing_module
from perf_pipeline.bisect.smoke import smoke_problem
from perf_pipeline.config.interleaved.arms import AbArm
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import read_settings
from perf_pipeline.loadgen.environment.environment import TargetEnvironment
from perf_pipeline.loadgen.environment.packages import package_of_module
from tests.package_index import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

HERE = TargetEnvironment(Path(sys.executable), "none", {})
FUNCTIONS = """
def work(number):
    return None

def mostly_fail(number):
    if number % 3:
        raise ValueError(f"no such node in this release: {number}")
"""
SCENARIO = """
target = "callable"
python_path = "."
processes = 1
concurrency = [1]
trial_call = false
[[workload]]
function = "functions:{function}"
[phases]
warm_up_s = 2
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name in ("tmp", "cache", "state"):
        (tmp_path / name).mkdir()
    return read_settings(
        {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path / "tmp"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "PERF_PIPELINE_LOAD_LOCK": str(tmp_path / "load.lock"),
        },
        current_dir=tmp_path,
    )


def arm_of(target: str, settings: Settings, notify: Callable[[str], None]) -> ReleaseArm:
    """Return an arm of releases as published."""
    return ReleaseArm(
        parse_target(target),
        is_pinned=False,
        scenario=open_scenario("release"),
        settings=settings,
        metric="cpu_per_workflow_s",
        budget=Budget(60.0, 1.0),
        notify=notify,
    )


def smoke(settings: Settings, function: str) -> str:
    folder = settings.temp_dir.parent
    (folder / "functions.py").write_text(FUNCTIONS, encoding="utf-8")
    file = folder / "scenario.toml"
    file.write_text(SCENARIO.format(function=function), encoding="utf-8")
    arm = AbArm("a", "callable")
    scenario = open_scenario(str(file))
    return smoke_problem(scenario, arm, HERE, settings, notify=lambda _line: None, wait_s=60)


def test_a_release_that_executes_the_scenario_has_no_problem_and_leaves_no_run(
    settings: Settings,
) -> None:
    assert smoke(settings, "work") == ""
    assert not settings.results_dir.exists()
    assert list(settings.temp_dir.iterdir()) == []


def test_a_release_in_which_workflows_fail_is_named_with_their_error(settings: Settings) -> None:
    problem = smoke(settings, "mostly_fail")
    assert "workflows failed" in problem
    assert "no such node in this release" in problem


def test_a_release_that_does_not_install_is_skipped_with_what_the_installer_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving({"2.18.0": {}}) as index:
        index.package = "kailash"
        for name in [one for one in os.environ if one.startswith(("UV_", "PIP_"))]:
            monkeypatch.delenv(name)
        for name, value in index.environ(UV_CACHE_DIR=str(settings.cache_dir / "uv")).items():
            monkeypatch.setenv(name, value)
        said: list[str] = []
        arm = arm_of("kailash+pandas", settings, said.append)
        problem = arm.problem("2.17.0")
        assert problem.startswith("it does not install: ")
        assert "kailash==2.17.0" in problem
        assert arm.problem("2.17.0") == problem
    assert said == ["kailash==2.17.0+pandas: finding or making its environment"]
    pinned = replace(arm, is_pinned=True)
    assert pinned.text_of("2.17.0") == "kailash==2.17.0@lock+pandas"


def test_of_an_installers_output_the_last_lines_are_shown_without_our_advice() -> None:
    text = "It could not be made.\nuv pip install\nexit code 1\n  no solution:\nx==1\nAsk an index?"
    assert last_lines(text) == "no solution: x==1"
    assert last_lines("alone") == "alone"


def test_a_missing_module_is_looked_for_in_the_published_release_alone() -> None:
    """Its package may have another name, and a stranger's package the same one."""
    why = "0 of 0 workflows failed: exit code 1: ModuleNotFoundError: No module named 'requests'"
    assert missing_module(why) == "requests"
    assert missing_module("No module named 'dateutil.tz'") == "dateutil"
    assert missing_module("it does not install") == ""
    here = Path(sys.prefix)
    assert package_of_module(here, "yaml").startswith("pyyaml==")
    assert package_of_module(here, "pytest").startswith("pytest==")
    assert package_of_module(here, "kailsh") == ""


def test_the_first_pinned_release_gets_what_it_imports_and_the_others_have_it_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later one that lacks something else is skipped: its packages would be others."""
    said: list[str] = []
    arm = replace(
        arm_of("kailash", settings, said.append),
        is_pinned=True,
        package_of=lambda _release, module: f"{module}==2.34.2",
    )
    lacks = {"2.17.0": "requests", "2.18.0": "pandas"}

    def tried(_arm: ReleaseArm, release: str) -> str:
        lacking = lacks[release]
        has_it = any(one.startswith(lacking) for one in arm.added)
        return "" if has_it else f"exit code 1: No module named '{lacking}'"

    monkeypatch.setattr(ReleaseArm, "_tried", tried)
    assert arm.problem("2.17.0") == ""
    assert arm.added == ("requests==2.34.2",)
    assert arm.text_of("2.65.0") == "kailash==2.65.0@lock+requests==2.34.2"
    assert "No module named 'pandas'" in arm.problem("2.18.0")
    assert arm.added == ("requests==2.34.2",)
    assert any("every pinned release gets requests==2.34.2" in line for line in said)
