"""Open levels in a scenario: each schedule with its own keys, and every problem at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.arrivals import Arrivals, read_trace
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Scenario

WORKLOAD = """
[[workload]]
family = "transformation"
complexity = "simple"
"""
CALM = """
[[arrivals]]
label = "calm"
schedule = "poisson"
rate_per_s = 50
duration_s = 30
"""


def parsed(
    text: str,
    machine: MachineLimits,
    overrides: Overrides | None = None,
    folder: Path | None = None,
) -> Scenario:
    return parse_scenario(text, "mine", machine, overrides, folder=folder)


def problems(text: str, machine: MachineLimits, overrides: Overrides | None = None) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        parsed(text, machine, overrides)
    return caught.value.problems


def arrivals(**keys: object) -> str:
    lines = [
        f"{name} = {str(value).lower() if value is True else value!r}"
        for name, value in keys.items()
    ]
    return WORKLOAD + "\n".join(["[[arrivals]]", *lines])


def test_a_scenario_may_have_open_levels_alone(machine: MachineLimits) -> None:
    scenario = parsed(WORKLOAD + CALM, machine)
    assert scenario.concurrency == ()
    assert scenario.arrivals == (Arrivals("calm", "poisson", 50.0, 30.0, 1000, 30.0),)


def test_a_scenario_may_have_closed_and_open_levels(machine: MachineLimits) -> None:
    scenario = parsed("concurrency = [10]\n" + WORKLOAD + CALM, machine)
    assert (scenario.concurrency, len(scenario.arrivals)) == ((10,), 1)


def test_the_names_of_the_flags_mean_the_same_as_those_of_the_fields(
    machine: MachineLimits,
) -> None:
    """The measured part comes after the warm-up of 5 s; without one, it is that of [phases]."""
    phases = '[phases]\nwarm_up_s = "5s"\nduration = "1m"\n'
    given = arrivals(label="calm", schedule="poisson", rate=50, duration="25s")
    assert parsed(phases + given, machine).arrivals == parsed(WORKLOAD + CALM, machine).arrivals

    (by_phases,) = parsed(
        phases + arrivals(label="x", schedule="poisson", rate=5), machine
    ).arrivals
    assert by_phases.duration_s == 65
    twice = arrivals(label="x", schedule="poisson", rate=5, rate_per_s=5, duration=3, duration_s=9)
    assert problems(twice, machine) == [
        "mine.toml line 8: arrivals[1].rate is given, and rate_per_s, which is the same; keep one.",
        (
            "mine.toml line 11: arrivals[1].duration_s is given, and duration, the measured part "
            "of it; keep one."
        ),
    ]


@pytest.mark.parametrize(
    ("keys", "offered"),
    [
        ({"schedule": "constant", "rate_per_s": 2.5, "duration_s": 9}, "2.5/s (constant)"),
        (
            {"schedule": "ramp", "rate_per_s": 1, "end_rate_per_s": 50, "duration_s": 9},
            "1 to 50/s (ramp)",
        ),
        (
            {
                "schedule": "steps",
                "rate_per_s": 9,
                "end_rate_per_s": 3,
                "steps": 3,
                "duration_s": 9,
            },
            "9 to 3/s (steps)",
        ),
        (
            {"schedule": "burst", "burst_size": 40, "burst_every_s": 2, "duration_s": 9},
            "40 every 2 s (burst)",
        ),
        (
            {
                "schedule": "burst",
                "burst_size": 40,
                "burst_every_s": 2,
                "rate_per_s": 10,
                "duration_s": 9,
            },
            "40 every 2 s and 10/s (burst)",
        ),
    ],
)
def test_each_schedule_has_its_own_keys(
    machine: MachineLimits, keys: dict[str, object], offered: str
) -> None:
    scenario = parsed(arrivals(label="it", **keys), machine)
    assert scenario.arrivals[0].offered == offered


def test_what_a_schedule_lacks_or_does_not_have_is_reported_all_at_once(
    machine: MachineLimits,
) -> None:
    text = arrivals(label="it", schedule="ramp", duration_s=9, burst_size=4, slots=0)
    assert problems(text, machine) == [
        'mine.toml line 5: arrivals[1].rate is missing; schedule "ramp" needs it.',
        'mine.toml line 5: arrivals[1].end_rate is missing; schedule "ramp" needs it.',
        (
            'mine.toml line 9: arrivals[1].burst_size is given, but schedule "ramp" does not have '
            "it (rate, end_rate or duration_s)."
        ),
        (
            "mine.toml line 10: arrivals[1].slots is 0; allowed is an integer from 1 to 20000 "
            "(workflows in flight at most)."
        ),
    ]


def test_a_scenario_without_any_level_reports_what_it_lacks(machine: MachineLimits) -> None:
    (problem,) = problems(WORKLOAD, machine)
    assert problem.startswith("mine.toml: concurrency is missing; allowed is an integer from 1")
    assert problem.endswith(
        "open levels, each [[arrivals]], or stages, each [[stage]], or levels with bounds of their "
        "own, each [[level]]."
    )


@pytest.mark.parametrize(
    ("more", "reported"),
    [
        ("[phases]\nwarm_up_s = 30\n", "is 30 s, all of it warm-up (phases.warm_up_s is 30)"),
        (CALM, 'is "calm" for the second time; each arm, named or open level and stage needs its'),
        (
            CALM.replace("calm", "much").replace("= 50", "= 1_000_000"),
            "in which up to 3e+07 workflows arrive; allowed are 10,000,000",
        ),
        (CALM.replace("calm", "wide") + "slots = 9000\n", "is 9000, above the 4000 that"),
    ],
)
def test_what_does_not_fit_together_is_reported(
    machine: MachineLimits, more: str, reported: str
) -> None:
    (problem,) = problems(WORKLOAD + CALM + more, machine)
    assert reported in problem


def test_a_trace_is_found_beside_its_scenario(machine: MachineLimits, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("0\n7\n")
    text = arrivals(label="it", schedule="trace", trace="mine.txt")
    (found,) = parsed(text, machine, folder=tmp_path).arrivals
    assert (found.trace, found.duration_s) == (str(tmp_path / "mine.txt"), 0.0)


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("0\nsoon\n", 'line 2 is "soon"; a line is seconds'),
        ("2\n1\n", 'line 2 is "1", before the line above it'),
        ("-1\n", 'line 1 is "-1"; allowed is 0 to 86400'),
        ("nan\n", 'line 1 is "nan"; a line is seconds'),
        ("1e9999\n", 'line 1 is "1e9999"'),
        ("# nothing\n", "it has no arrivals"),
    ],
)
def test_a_wrong_trace_is_reported_by_its_line(tmp_path: Path, text: str, reported: str) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=reported.split(";", maxsplit=1)[0]):
        read_trace(str(path))


def test_a_trace_that_is_not_there_is_a_problem_of_the_scenario(machine: MachineLimits) -> None:
    text = arrivals(label="it", schedule="trace", trace="/nowhere/mine.txt")
    (problem,) = problems(text, machine)
    assert "arrivals[1].trace" in problem
    assert "No such file" in problem


def test_rates_take_the_place_of_all_levels(machine: MachineLimits) -> None:
    """With the warm-up and the steady phase of the scenario for their length."""
    arm = (
        '[[arm]]\nlabel = "x"\ntarget = "control"\nnodes = "code"\nconcurrency = 5\nsteady_s = 1\n'
    )
    text = "concurrency = [10, 20]\n" + WORKLOAD + arm + CALM
    scenario = parsed(text, machine, Overrides(rate=(5, 0.5), schedule="constant", slots=7))
    assert (scenario.concurrency, scenario.arms) == ((), ())
    assert scenario.arrivals == (
        Arrivals("5-per-s", "constant", 5.0, Phases.warm_up_s + Phases.steady_s, 7),
        Arrivals("0.5-per-s", "constant", 0.5, Phases.warm_up_s + Phases.steady_s, 7),
    )


def test_other_flags_change_the_open_levels_that_there_are(machine: MachineLimits) -> None:
    text = WORKLOAD + CALM
    (changed,) = parsed(text, machine, Overrides(duration=10, slots=9)).arrivals
    assert (changed.duration_s, changed.slots) == (Phases.warm_up_s + 10, 9)
    closed = parsed(text, machine, Overrides(concurrency=(3,)))
    assert (closed.concurrency, closed.arrivals) == ((3,), ())


@pytest.mark.parametrize(
    ("given", "reported"),
    [
        (Overrides(rate=(0,)), "--rate is 0; allowed is a number from 0.001 to 1000000"),
        (Overrides(rate=(5, 5)), "--rate is 5 for the second time"),
        (Overrides(schedule="constant"), "--schedule says how the rates of --rate arrive"),
        (Overrides(slots=5), "--slots is given, but there is no open level"),
    ],
)
def test_flags_that_mean_nothing_are_reported(
    machine: MachineLimits, given: Overrides, reported: str
) -> None:
    (problem,) = problems("concurrency = [10]\n" + WORKLOAD, machine, given)
    assert problem.startswith(reported)
