"""Settings of a target, functions as workloads and limits: each checked in its place."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.scenario import Stop, WorkerLimits, Workload
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.plan.plan import plan_levels

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Scenario

FAMILY = '[[workload]]\nfamily = "transformation"\ncomplexity = "simple"\n'
FUNCTION = '[[workload]]\nfunction = "shop:order"\n'
ARM = '[[arm]]\nlabel = "a"\ntarget = "{target}"\nnodes = "code"\nconcurrency = 1\nsteady_s = 1\n'


def _read(text: str, machine: MachineLimits, **flags: object) -> Scenario:
    overrides = Overrides(**flags)  # type: ignore[arg-type]
    return parse_scenario("concurrency = [10]\n" + text, "mine", machine, overrides)


def _problems(text: str, machine: MachineLimits, **flags: object) -> list[str]:
    with pytest.raises(ScenarioError) as found:
        _read(text, machine, **flags)
    return found.value.problems


def test_settings_arrive_at_the_levels_and_an_arm_has_its_own(machine: MachineLimits) -> None:
    text = FAMILY + "[settings]\nenable_monitoring = true\n" + ARM.format(target="kailash")
    scenario = _read(text + "settings = {enable_monitoring = false}\n", machine)

    assert scenario.settings == {"enable_monitoring": True}
    assert scenario.arms[0].settings == {"enable_monitoring": False}


def test_wrong_settings_are_all_reported_with_their_lines(machine: MachineLimits) -> None:
    text = FAMILY + "[settings]\nenable_monitorin = true\nenable_monitoring = 1\n"
    unknown, wrong = _problems(text + ARM.format(target="control") + "settings.x = 1\n", machine)[
        :2
    ]

    assert unknown == (
        'mine.toml line 6: settings.enable_monitorin is unknown; did you mean "enable_monitoring"?'
    )
    assert wrong.startswith("mine.toml line 7: settings.enable_monitoring is 1; allowed is true or")


def test_settings_of_a_target_without_any_are_reported(machine: MachineLimits) -> None:
    (problem,) = _problems(FAMILY + ARM.format(target="control") + "settings.x = 1\n", machine)

    assert problem == "mine.toml line 11: arm[1].settings.x is unknown; control has no settings."


def test_a_flag_sets_one_setting_and_is_checked_against_its_row(machine: MachineLimits) -> None:
    text = FAMILY + "[settings]\nenable_monitoring = false\n"

    scenario = _read(text, machine, settings=("enable_monitoring=true",))
    assert scenario.settings == {"enable_monitoring": True}
    assert _problems(text, machine, settings=("enable_monitoring=maybe", "x", "y=1")) == [
        (
            '--setting enable_monitoring is "maybe"; allowed is true or false (kailash keeps a '
            "record of each workflow in a file of the worker's home folder)."
        ),
        '--setting "x" is not NAME=VALUE, such as enable_monitoring=true.',
        (
            '--setting "y=1" is unknown; kailash has the settings enable_monitoring, '
            "strict_memory_limit_mb, pool_pre_ping, pool_recycle_s, sample_nodes_every, retries, "
            "breaker_failures, runtime_retries, runtime_breaker_failures or branching."
        ),
    ]


def test_another_target_keeps_the_settings_that_it_takes_and_refuses_to_lose_one(
    machine: MachineLimits,
) -> None:
    text = FAMILY + "[settings]\nenable_monitoring = true\npool_recycle_s = 60\n"

    assert _problems(text, machine, target="kailash_async") == [
        (
            '--target is "kailash_async", which does not take the scenario\'s settings '
            "enable_monitoring; name those that you want with --setting (the scenario's are left "
            "out then), or remove them from [settings]."
        )
    ]
    flags: dict[str, object] = {"target": "kailash_async", "settings": ("thread_pool_size=2",)}
    assert _read(text, machine, **flags).settings == {"pool_recycle_s": 60, "thread_pool_size": 2}


def test_the_interpreter_of_the_scenario_stays_with_another_target(machine: MachineLimits) -> None:
    text = f'interpreter = "{sys.executable}"\n' + FAMILY

    assert _read(text, machine, target="kailash_async").interpreter == sys.executable


def test_a_target_without_settings_drops_them_but_another_version_keeps_them(
    machine: MachineLimits,
) -> None:
    text = FAMILY + "[settings]\nenable_monitoring = true\n"

    assert _read(text, machine, target="control").settings == {}
    version = _read(text, machine, target="kailash==2.19.0+pandas")
    assert (version.target, version.settings) == (
        "kailash==2.19.0+pandas",
        {"enable_monitoring": True},
    )


def test_a_function_is_a_workload_of_a_target_that_calls_functions(
    machine: MachineLimits, tmp_path: Path
) -> None:
    text = f'target = "callable"\npython_path = "{tmp_path}"\nservers = ["redis"]\n' + FUNCTION
    scenario = _read(text, machine)

    assert scenario.workloads == (Workload("shop:order", ""),)
    assert scenario.workloads[0].name == "shop:order"
    assert (scenario.python_path, scenario.servers) == (str(tmp_path), ("redis",))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (FUNCTION, 'target is "kailash", which plays families; functions need "callable"'),
        ('target = "callable"\n' + FAMILY, 'target is "callable", which calls functions'),
        ('target = "callable"\n' + FUNCTION + FAMILY, "workload holds both functions and families"),
        (
            'target = "callable"\n[[workload]]\nfunction = "shop.order"\n',
            'function is "shop.order"; allowed is module:function',
        ),
        (
            'target = "callable"\n[[workload]]\nfunction = "a:b"\nfamily = "analytics"\n',
            "family is given beside function; give one of the two",
        ),
        ("[[workload]]\nweight = 1\n", "family is missing; allowed is"),
        ('python_path = "/nowhere"\n' + FAMILY, 'python_path is "/nowhere", which is no folder'),
        ('interpreter = "/etc/passwd"\n' + FAMILY, 'is "/etc/passwd", which is no program'),
        ('level_names = ["a", "b"]\n' + FAMILY, "level_names has 2 names for 1 levels"),
        (FAMILY + "[limits]\nmemory_mb = 0\n", "limits.memory_mb is 0; allowed is a number from 1"),
        (FAMILY + "[stop]\nerror_ratio = 2\n", "stop.error_ratio is 2; allowed is a number from"),
    ],
)
def test_what_contradicts_itself_is_refused(
    text: str, problem: str, machine: MachineLimits
) -> None:
    assert any(problem in reported for reported in _problems(text, machine))


def test_limits_and_stops_arrive_and_flags_replace_the_limits(machine: MachineLimits) -> None:
    text = FAMILY + "[limits]\nmemory_mb = 512\n[stop]\nerror_ratio = 0.5\n"

    assert _read(text, machine).limits == WorkerLimits(memory_mb=512)
    assert _read(text, machine).stop == Stop(error_ratio=0.5)
    changed = _read(text, machine, memory_limit_mb=256, cpu_limit_percent=50, processes=1)
    assert (changed.limits, changed.processes) == (WorkerLimits(256, 50), 1)


def test_levels_keep_their_names_and_a_greater_maximum_adds_a_level(
    machine: MachineLimits,
) -> None:
    text = 'level_names = ["low"]\n' + FAMILY

    more = _read(text, machine, max_concurrency=30)
    assert (more.concurrency, more.level_names) == ((10, 30), ("low", ""))
    fewer = _read(text, machine, max_concurrency=5)
    assert (fewer.concurrency, fewer.level_names) == ((5,), ("",))
    same = _read(text, machine, max_concurrency=10)
    assert (same.concurrency, same.level_names) == ((10,), ("low",))


def test_ten_thousand_in_flight_fit_where_a_slot_is_a_task(machine: MachineLimits) -> None:
    many = (10_000,)

    assert _read(FAMILY, machine, target="control_async", concurrency=many).concurrency == many
    (problem,) = _problems(FAMILY, machine, target="control", concurrency=many)
    assert problem.startswith(
        "--concurrency contains 10000, above the 4000 that this machine can run"
    )
    assert problem.endswith("or raise processes; asynchronous targets can run 20000 here.")


ARRIVALS = """
[[arrivals]]
label = "plain"
schedule = "poisson"
rate = 10

[[arrivals]]
label = "retried"
schedule = "poisson"
rate = 10
settings = { retries = 2 }
"""


def test_an_open_level_has_settings_of_its_own_beside_the_scenarios(machine: MachineLimits) -> None:
    scenario = _read(FAMILY + "[settings]\npool_recycle_s = 60\n" + ARRIVALS, machine)
    *_, plain, retried = plan_levels(scenario, 2)

    assert (plain.settings["retries"], retried.settings["retries"]) == (0, 2)
    assert plain.settings["pool_recycle_s"] == retried.settings["pool_recycle_s"] == 60


def test_settings_of_an_open_level_that_its_target_lacks_are_refused(
    machine: MachineLimits,
) -> None:
    (problem,) = _problems(FAMILY + ARRIVALS, machine, target="control")
    assert "arrivals[2].settings.retries is unknown; control has no settings." in problem
    streams = ARRIVALS.replace('label = "retried"', 'label = "retried"\nlevel = "both"')
    (problem,) = _problems(FAMILY + streams, machine)
    assert "the streams of a level share its target" in problem


def test_a_plan_without_protections_has_the_hash_that_it_had_before_there_were_any(
    machine: MachineLimits,
) -> None:
    plan = plan_levels(_read(FAMILY, machine), 2)[0]
    before = {name: plan.settings[name] for name in plan.settings if name != "retries"}

    assert replace(plan, settings=before).sha256() == plan.sha256()
    assert replace(plan, settings={**before, "retries": 1}).sha256() != plan.sha256()
