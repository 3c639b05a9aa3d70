"""Two arms that cannot be compared are refused with every reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from perf_pipeline.config.flags.ab_flags import AbFlags, flags_for_ab
from perf_pipeline.config.http.http_request import HttpRequest
from perf_pipeline.config.interleaved.arms import AbArm, AbQuestion
from perf_pipeline.config.interleaved.question import ab_question, scenario_of_arm
from perf_pipeline.config.machine import MachineLimits
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Arm, Scenario, Workload
from perf_pipeline.config.scenario.stages import Stage
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.errors import ScenarioError

MACHINE = MachineLimits(None, None, None, None, None, cores_usable=2)
SCENARIO = Scenario("mine", concurrency=(100, 50), settings={"enable_monitoring": True})
OWN_CODE = Scenario("mine", target="callable", workloads=(Workload("shop:order", ""),))


def asked(scenario: Scenario = SCENARIO, **flags: object) -> AbQuestion:
    return ab_question(scenario, MACHINE, AbFlags(**flags))  # type: ignore[arg-type]


def problems(scenario: Scenario = SCENARIO, **flags: object) -> str:
    with pytest.raises(ScenarioError) as caught:
        asked(scenario, **flags)
    return "\n".join(caught.value.problems)


def test_arm_a_is_the_scenarios_target_and_arm_b_that_of_arm_a_unless_named() -> None:
    question = asked(b="kailash==2.19.0+pandas")
    assert (question.a.target, question.b.target) == ("kailash", "kailash==2.19.0+pandas")
    assert asked(a="kailash==2.18.0", b_settings=("enable_monitoring=false",)).b.target == (
        "kailash==2.18.0"
    )
    assert (question.width, question.budget_s, question.max_pairs) == (0.02, 1800, 100)
    narrow = asked(b="control", width_percent=1.5, budget_s=600, max_pairs=12)
    assert (narrow.width, narrow.budget_s, narrow.max_pairs) == (0.015, 600, 12)


def test_settings_of_an_arm_replace_those_of_the_scenario_that_its_target_takes() -> None:
    question = asked(b_settings=("enable_monitoring=false",))
    assert question.a.settings == {"enable_monitoring": True}
    assert question.b.settings == {"enable_monitoring": False}
    assert asked(b="control").b.settings == {}


def test_arms_that_do_not_differ_are_refused_unless_both_are_named() -> None:
    assert "both arms are kailash" in problems()
    assert "(A/A)" in problems(b="kailash")
    assert asked(a="kailash", b="kailash").a.target == "kailash"
    assert ab_question(SCENARIO, MACHINE).b.target == "kailash"


def test_two_servers_behind_http_are_compared_by_two_runs() -> None:
    sent = Workload("order", "", request=HttpRequest("http://10.0.0.1:8000/order"))
    told = problems(Scenario("mine", target="http", workloads=(sent,)))
    assert "both arms are http" in told
    assert "compare RUN1 RUN2 --despite addresses" in told
    assert "addresses" not in problems()


def test_every_wrong_flag_is_reported_at_once() -> None:
    told = problems(a="kailsh", b_settings=("colour=red",), width_percent=90, budget_s="soon")
    for part in ("--a is", "--b-setting", "--width is 90", "--budget is"):
        assert part in told, told


def test_a_revision_is_of_the_users_own_functions() -> None:
    assert asked(OWN_CODE, a_rev="main").a.revision == "main"
    told = problems(b_rev="main")
    assert "--b-rev is main, but mine has no functions of your own" in told


def test_an_arm_that_cannot_play_the_workloads_is_named() -> None:
    assert "--b is" in problems(b="callable")
    assert "functions" in problems(OWN_CODE, b="kailash")


def test_both_arms_play_the_smallest_level_alone() -> None:
    scenario = replace(
        SCENARIO,
        arms=(Arm("lean", "control", "lean", 100, 2.0),),
        repeats=3,
        slos=(Slo("p99_s", 0.5, abort=True),),
        arrivals=(Arrivals("a"),),
    )
    played = scenario_of_arm(scenario, AbArm("b", "control"))
    assert (played.concurrency, played.arrivals, played.target) == ((50,), (), "control")
    assert (played.arms, played.repeats, played.slos) == ((), 1, ())
    opened = scenario_of_arm(replace(scenario, concurrency=()), AbArm("a", "kailash"))
    assert opened.arrivals == scenario.arrivals


def test_stages_alone_are_no_load_to_compare_at() -> None:
    staged = replace(SCENARIO, concurrency=(), stages=(Stage("peak", 50),))
    assert "give --concurrency N" in problems(staged, b="control")


def test_flags_of_several_levels_and_of_one_target_are_not_offered() -> None:
    offered = {one.option for one in flags_for_ab()}
    assert {"--concurrency", "--duration", "--nodes", "--seed"} <= offered
    assert not offered & {"--target", "--setting", "--repeats", "--order", "--stage", "--slo"}


def test_an_arm_is_shown_with_what_is_special_about_it() -> None:
    arm = AbArm("b", "callable", {"pool": 4}, "main", "1a2b3c4d" + 32 * "0")
    assert arm.shown == "callable, pool=4, code at main (1a2b3c4)"
    assert AbArm("a", "kailash==2.19.0").shown == "kailash==2.19.0"
