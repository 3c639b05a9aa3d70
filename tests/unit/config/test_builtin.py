"""Scenarios are found by name or by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.builtin import (
    BUILTIN_FOLDER,
    find_scenario,
    list_scenarios,
    open_scenario,
)
from perf_pipeline.config.overrides import Overrides
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits


def test_every_scenario_that_comes_with_the_project_is_sound(machine: MachineLimits) -> None:
    for name in list_scenarios():
        assert open_scenario(name, machine).name == name


def test_the_list_has_names_and_titles() -> None:
    assert list_scenarios()["baseline"] == "Baseline: normal load"


def test_a_name_is_the_built_in_file_and_a_path_is_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "baseline").write_text("")
    (tmp_path / "other").write_text("")
    assert find_scenario("baseline") == BUILTIN_FOLDER / "baseline.toml"
    assert find_scenario("./baseline") == Path("baseline")
    assert find_scenario("baseline.toml") == Path("baseline.toml")
    assert find_scenario("other") == Path("other")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("basline", 'did you mean "baseline"?'),
        ("BASELINE", 'did you mean "baseline"?'),
        ("quux", "known are baseline or stress."),
        ("", "known are baseline or stress."),
        ("a\0b", "known are baseline or stress."),
        ("x" * 5000, "known are baseline or stress."),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(name: str, hint: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        find_scenario(name)
    (problem,) = caught.value.problems
    assert problem.endswith(f"is unknown, and no such file is here; {hint}")
    assert problem.isprintable()


def test_an_unknown_name_and_a_wrong_flag_are_reported_together(machine: MachineLimits) -> None:
    with pytest.raises(ScenarioError) as caught:
        open_scenario("basline", machine, Overrides(repeats=101))
    assert [problem.split()[0] for problem in caught.value.problems] == ["scenario", "--repeats"]
