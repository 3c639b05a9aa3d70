"""What an interleaved comparison compares: its two arms, and when it has seen enough."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.flags.ab_flags import AbFlags
from perf_pipeline.config.flags.flag import check_flags, fitting_flags
from perf_pipeline.config.interleaved.arms import (
    DEFAULT_BUDGET_S,
    DEFAULT_PAIRS,
    DEFAULT_WIDTH_PERCENT,
    AbArm,
    AbQuestion,
)
from perf_pipeline.config.scenario.consistency import check_consistency
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.scenario.target_settings import flag_settings, setting_keys
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.interleaved.arms import ArmName
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Scenario

_OTHER_SERVER = (
    "; two servers behind HTTP are two runs: `perf-pipeline compare RUN1 RUN2 --despite addresses`"
)


def ab_question(
    scenario: Scenario, machine: MachineLimits, asked: AbFlags | None = None
) -> AbQuestion:
    """Make the question that flags ask about a scenario.

    Args:
        scenario: Checked, with its flags in place.
        machine: Its limits bound the load of either arm.
        asked: The flags; None for a comparison of the scenario's target with itself (A/A).

    Raises:
        ScenarioError: With every problem.
    """
    problems = Problems("ab")
    check_flags(asked or AbFlags(), problems)
    given = fitting_flags(asked or AbFlags())
    target = given.a or scenario.target
    a = _arm("a", target, given.a_settings or (), given.a_rev, scenario, problems)
    b = _arm("b", given.b or target, given.b_settings or (), given.b_rev, scenario, problems)
    found = problems.sentences()
    if not found:
        found += _load_problems(scenario)
        found += [text for arm in (a, b) for text in _arm_problems(arm, scenario, machine)]
    is_aa = asked is None or (given.a is not None and given.b is not None)
    if not found and not is_aa and replace(a, name="b") == b:
        found.append(
            f"both arms are {a.shown}: say what differs with --b, --b-setting or --b-rev; to "
            "compare a target with itself (A/A), give it as --a and as --b"
            + (_OTHER_SERVER if any(one.request for one in scenario.workloads) else "")
        )
    if found:
        raise ScenarioError(found)
    width_percent = given.width_percent or DEFAULT_WIDTH_PERCENT
    return AbQuestion(
        a,
        b,
        width_percent / 100,
        float(given.budget_s or DEFAULT_BUDGET_S),
        given.max_pairs or DEFAULT_PAIRS,
    )


def scenario_of_arm(scenario: Scenario, arm: AbArm) -> Scenario:
    """Return what an arm plays: the smallest level of a scenario, named, closed or the first open.

    Both arms have the same plan; objectives and extra levels are left out.
    """
    named = () if scenario.concurrency else scenario.levels
    return replace(
        scenario,
        target=arm.target,
        settings=arm.settings,
        concurrency=(min(scenario.concurrency),) if scenario.concurrency else (),
        levels=tuple(sorted(named, key=lambda level: level.concurrency)[:1]),
        arrivals=() if scenario.concurrency or named else scenario.arrivals[:1],
        level_names=(),
        stages=(),
        arms=(),
        repeats=1,
        slos=(),
    )


def _arm(
    name: ArmName,
    target: str,
    settings: tuple[str, ...],
    revision: str | None,
    scenario: Scenario,
    problems: Problems,
) -> AbArm:
    """Return an arm; the scenario's settings that its target takes hold unless it names them."""
    known = setting_keys(target)
    own = {key: value for key, value in scenario.settings.items() if key in known}
    more = flag_settings(settings, target, problems, option=f"--{name}-setting")
    return AbArm(name, target, {**own, **more}, revision or "")


def _load_problems(scenario: Scenario) -> list[str]:
    if scenario.faults:
        why = "has faults; an interleaved comparison plays none: give --fault none"
        return [f"{scenario.name} {why}"]
    if scenario.concurrency or scenario.levels or scenario.arrivals:
        return []
    why = "has stages alone; an interleaved comparison plays one load: give --concurrency N"
    return [f"{scenario.name} {why}"]


def _arm_problems(arm: AbArm, scenario: Scenario, machine: MachineLimits) -> list[str]:
    problems = Problems(scenario.name)
    problems.replaced(("target",), f"--{arm.name}")
    check_consistency(scenario_of_arm(scenario, arm), machine, problems)
    if arm.revision and not any(one.is_function for one in scenario.workloads):
        problems.flag(
            f"--{arm.name}-rev",
            f"is {arm.revision}, but {scenario.name} has no functions of your own; name releases "
            f"of the target, such as --{arm.name} {parse_target(arm.target).name}==2.19.0.",
        )
    return problems.sentences()
