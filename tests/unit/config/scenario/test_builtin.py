"""Scenarios are found by name or by path."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.builtin import (
    BUILTIN_FOLDER,
    find_scenario,
    list_scenarios,
    open_scenario,
)
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

KNOWN = (
    "known are baseline, database, endurance, open, pressure, protections, recovery, release or "
    "stress."
)


def test_every_scenario_that_comes_with_the_project_is_sound(machine: MachineLimits) -> None:
    for name in list_scenarios():
        assert open_scenario(name, machine).name == name


def test_stress_takes_at_most_twenty_minutes_and_lets_2000_be_steady(
    machine: MachineLimits,
) -> None:
    """At 24 workflows/s, with a minute a level for workers, servers and the drain."""
    scenario, rate_per_s = open_scenario("stress", machine), 24
    phases, total_s = scenario.phases, 0.0
    for level in scenario.concurrency:
        turnover_s = level / rate_per_s
        assert 3 * turnover_s <= phases.steady_max_s
        steady_s = max(phases.steady_s, 3 * turnover_s)
        total_s += phases.ramp_up_s + max(phases.warm_up_s, turnover_s) + steady_s + 60
    assert total_s <= 20 * 60
    assert dict(zip(scenario.concurrency, scenario.level_names, strict=True)) == {
        500: "baseline",
        1000: "medium stress",
        1500: "high stress",
        2000: "extreme stress",
    }


def test_stress_with_a_greater_maximum_adds_one_level(machine: MachineLimits) -> None:
    for maximum in (2000, 3000, 10_000):
        target = "kailash_async" if maximum > 4000 else None
        scenario = open_scenario(
            "stress", machine, Overrides(max_concurrency=maximum, target=target)
        )
        more = () if maximum == 2000 else (maximum,)
        assert scenario.concurrency == (500, 1000, 1500, 2000, *more)
        assert scenario.level_names[4:] == ("",) * len(more)


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
        ("quux", KNOWN),
        ("", KNOWN),
        ("a\0b", KNOWN),
        ("x" * 5000, KNOWN),
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


def test_a_url_is_no_scenario_and_is_not_repeated() -> None:
    """As a path it would be repeated without one of its slashes, and so not be known for a URL."""
    with pytest.raises(ScenarioError) as refused:
        find_scenario("postgresql://user:CANARY@host/db")
    (problem,) = refused.value.problems
    assert "CANARY" not in problem
    assert "PERF_PIPELINE_POSTGRES_URL" in problem
