"""How the flags of ``perf-pipeline run`` change a scenario.

A flag replaces the scenario's value and is checked by the same row of ``keys.py``. What follows
from a flag, and only if it is given:

- ``--max-concurrency N`` leaves out the levels above N; if N is above all levels of the scenario,
  or all of them are left out, there is a level at N. Levels named by ``--concurrency`` are the
  user's choice: N above all of them adds none.
- A level keeps its name; a number that the scenario does not have has none.
- When the levels change, each arm moves to the largest chosen level that is not above its own
  concurrency, else to the smallest chosen one: an arm is there to be compared with a level of
  the same concurrency. With levels 10 50 200, an arm at 100 runs at 50.
- ``--target`` and ``--nodes`` leave out the arms that would repeat the levels; ``--target`` with a
  control target leaves out all of them: they show what a runtime costs, and none is under test.
- ``--complexity`` applies to all workloads; those that become equal are merged and their weights
  added, so that the share of each family stays.
- ``--target`` keeps the scenario's settings. One that the new target does not know is a problem:
  the scenario may be about it, and a run without it would look like one with it. It is
  left out when ``--setting`` is given too, which shows that settings were considered, and when
  the new target has no settings at all (control).
- ``--target`` keeps the scenario's interpreter, which is asked whether it can run the new target.
- ``--setting NAME=VALUE`` replaces one setting of the levels' target, not of arms.
- ``--slo`` adds an SLO, or takes the place of the scenario's for the same metric (of all levels
  and families, over the steady phase); an SLO of a level that is left out is left out too.
- ``--duration`` raises ``steady_max_s`` to itself, and no arm is longer than it.
- What they change in an endurance scenario: ``endurance_flags.py``.
- ``--rate``, ``--schedule`` and ``--slots``: ``open_levels.py``; ``--stage``: ``staged_levels.py``;
  ``--fault``: ``fault_flags.py``. What they change in named levels: ``named_levels.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from perf_pipeline.config.flags.endurance_flags import with_endurance
from perf_pipeline.config.flags.fault_flags import with_faults
from perf_pipeline.config.flags.flag import fitting_flags, flags_of
from perf_pipeline.config.flags.named_levels import with_named_levels
from perf_pipeline.config.flags.open_levels import with_open_levels
from perf_pipeline.config.flags.staged_levels import with_stages
from perf_pipeline.config.scenario.keys import SETTINGS
from perf_pipeline.config.scenario.scenario import Workload
from perf_pipeline.config.scenario.target_settings import flag_settings, setting_keys
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.slo.slo_tables import flag_slos, slos_of_levels, with_flags
from perf_pipeline.config.wording import shown

if TYPE_CHECKING:
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Arm, Complexity, Scenario, SettingValue


def apply_overrides(scenario: Scenario, overrides: Overrides, problems: Problems) -> Scenario:
    """Return the scenario with every fitting flag in place; arms keep their indices."""
    given, before = fitting_flags(overrides), scenario
    for flag in flags_of(type(given)):
        value = getattr(given, flag.field)
        if flag.path and value is not None:
            problems.replaced(flag.path, flag.option)
            scenario = _with_value(scenario, flag.path, value)
    scenario = _with_levels(scenario, given, problems)
    scenario = _with_target(scenario, given, problems)
    if before.endurance is not None:
        scenario = with_endurance(scenario, before.endurance, given, problems)
        given = replace(given, rate=None, duration=None, slots=None)
    elif given.hour_seconds is not None:
        problems.flag("--hour-seconds", "is of endurance scenarios; this one has no [endurance].")
    if given.duration is not None:
        scenario = _with_duration(scenario, float(given.duration), problems)
    scenario = with_open_levels(scenario, given, problems)
    scenario = with_stages(scenario, given, problems)
    scenario = with_named_levels(scenario, given, problems)
    scenario = _with_slos(scenario, given, problems)
    scenario = with_faults(scenario, given, problems, before)
    if given.complexity is not None:
        scenario = _with_complexity(scenario, cast("Complexity", given.complexity), problems)
    return scenario


def drop_pointless_arms(scenario: Scenario, overrides: Overrides) -> Scenario:
    """Return the scenario without the arms that a flag has made pointless."""
    if overrides.target is None and overrides.nodes is None:
        return scenario
    if overrides.target is not None and parse_target(scenario.target).name.startswith("control"):
        return replace(scenario, arms=())
    arms = (arm for arm in scenario.arms if not _repeats_the_levels(arm, scenario))
    return replace(scenario, arms=tuple(arms))


def _with_value(part: Any, path: tuple[str, ...], value: object) -> Any:
    """Return a part of a scenario with the value at a path below it replaced."""
    name, *below = path
    new = _with_value(getattr(part, name), tuple(below), value) if below else value
    return replace(part, **{name: new})


def _with_levels(scenario: Scenario, given: Overrides, problems: Problems) -> Scenario:
    if given.concurrency is None and given.max_concurrency is None:
        return scenario
    levels = scenario.concurrency
    if given.concurrency is not None:
        levels = tuple(given.concurrency)
        problems.replaced(("concurrency",), "--concurrency")
    if given.max_concurrency is not None and levels:
        allowed = tuple(level for level in levels if level <= given.max_concurrency)
        above_all = max(levels, default=0) < given.max_concurrency and given.concurrency is None
        if not allowed or above_all:
            allowed = (*allowed, given.max_concurrency)
            problems.replaced(("concurrency",), "--max-concurrency")
        levels = allowed
    arms = tuple(
        replace(arm, concurrency=_arm_level(arm, levels)) if levels else arm
        for arm in scenario.arms
    )
    named = dict(zip(scenario.concurrency, scenario.level_names, strict=False))
    names = tuple(named.get(level, "") for level in levels) if named else ()
    return replace(scenario, concurrency=levels, level_names=names, arms=arms)


def _with_target(scenario: Scenario, given: Overrides, problems: Problems) -> Scenario:
    if given.target is not None:
        problems.replaced(("target",), "--target")
        settings = _fitting_settings(scenario, given.target, given, problems)
        scenario = replace(scenario, target=given.target, settings=settings)
    if given.settings:
        more = flag_settings(given.settings, scenario.target, problems)
        scenario = replace(scenario, settings={**scenario.settings, **more})
    return scenario


def _fitting_settings(
    scenario: Scenario, target: str, given: Overrides, problems: Problems
) -> dict[str, SettingValue]:
    """Return the scenario's settings that fit the target of the flag."""
    keys = setting_keys(target)
    lost = [
        name
        for name, value in scenario.settings.items()
        if name not in keys or any(True for _ in keys[name].problems_of(value))
    ]
    if lost and keys and not given.settings:
        problems.flag(
            "--target",
            f"is {shown(target)}, which does not take the scenario's {SETTINGS} "
            f"{' and '.join(lost)}; name those that you want with --setting (the scenario's are "
            f"left out then), or remove them from [{SETTINGS}].",
        )
    return {name: value for name, value in scenario.settings.items() if name not in lost}


def _with_slos(scenario: Scenario, given: Overrides, problems: Problems) -> Scenario:
    more = flag_slos(given.slos or (), scenario, problems)
    scenario = replace(scenario, slos=with_flags(scenario.slos, more))
    return replace(scenario, slos=slos_of_levels(scenario))


def _arm_level(arm: Arm, levels: tuple[int, ...]) -> int:
    below = [level for level in levels if level <= arm.concurrency]
    return max(below) if below else min(levels)


def _with_duration(scenario: Scenario, duration_s: float, problems: Problems) -> Scenario:
    problems.replaced(("phases", "steady_s"), "--duration")
    steady_max_s = max(scenario.phases.steady_max_s, duration_s)
    return replace(
        scenario,
        phases=replace(scenario.phases, steady_s=duration_s, steady_max_s=steady_max_s),
        arms=tuple(replace(arm, steady_s=min(arm.steady_s, duration_s)) for arm in scenario.arms),
    )


def _with_complexity(scenario: Scenario, complexity: Complexity, problems: Problems) -> Scenario:
    weights: dict[str, float] = {}
    for workload in scenario.workloads:
        weights[workload.family] = weights.get(workload.family, 0.0) + workload.weight
    sorts = {workload.sort for workload in scenario.workloads} - {"families"}
    if sorts:
        text = f"is given, but {sorts.pop()} have no complexity; leave it out."
        problems.flag("--complexity", text)
        return scenario
    merged = (Workload(family, complexity, weight) for family, weight in weights.items())
    return replace(scenario, workloads=tuple(merged))


def _repeats_the_levels(arm: Arm, scenario: Scenario) -> bool:
    """Return whether an arm repeats the levels; the control target has no nodes to differ in."""
    same_nodes = arm.nodes == scenario.nodes or parse_target(arm.target).name == "control"
    same = arm.target == scenario.target and dict(arm.settings) == dict(scenario.settings)
    return same and same_nodes
