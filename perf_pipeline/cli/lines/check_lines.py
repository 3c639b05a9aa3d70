"""What a check of a scenario found, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.level_bounds import SLOT_IS, mode_of
from perf_pipeline.config.scenario.stages import measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.level_bounds import Bound, Mode
    from perf_pipeline.config.scenario.scenario import Scenario


def fit_lines(scenario: Scenario, bounds: Mapping[Mode, Bound], *, explain: bool) -> list[str]:
    """Return how the levels of a scenario, all of which fit, compare with what the machine holds.

    Args:
        scenario: A checked scenario.
        bounds: The largest level of each kind of slot on this machine.
        explain: A line for each level and arm, and the arithmetic of each bound.
    """
    played = _levels_and_arms(scenario)
    if explain:
        lines = [
            f"{in_flight} in flight on {target}{name}: fits, of {bounds[mode_of(target)].level}"
            for in_flight, name, target in played
        ]
        return lines + [
            f"this machine can run {bound.level} where a slot is {SLOT_IS[mode]} ({bound.what}: "
            f"{bound.arithmetic})"
            for mode, bound in bounds.items()
        ]
    lines = []
    for mode, bound in bounds.items():
        loads = [in_flight for in_flight, _, target in played if mode_of(target) == mode]
        if loads:
            lines.append(
                f"fits: at most {max(loads)} in flight; this machine can run {bound.level} where a "
                f"slot is {SLOT_IS[mode]}"
            )
    return lines


def fault_lines(scenario: Scenario) -> list[str]:
    """Return what fails in the levels, and when, a line each."""
    return [
        f"{window.name} from {window.at_s:g} to {window.end_s:g} s of the steady phase of "
        + (f"level {window.level}" if window.level else "every level")
        + "".join(f", {name} {value}" for name, value in window.settings.items())
        for window in scenario.faults
    ]


def request_lines(scenario: Scenario) -> list[str]:
    """Return where each request goes, a line each."""
    return [
        f"{one.family}: {one.request.method} {one.request.url}; nothing was sent"
        for one in scenario.workloads
        if one.request is not None
    ]


def environment_lines(scenario: Scenario) -> list[str]:
    """Return the variables that the workers get, in one line; nothing for none."""
    given = [f"{name} = {value}" for name, value in scenario.variables.stored().items()]
    given += [f"{name} passed through from this session" for name in scenario.variables.passed]
    return [f"environment: {', '.join(given)}"] if given else []


def _levels_and_arms(scenario: Scenario) -> list[tuple[int, str, str]]:
    """Return in-flight number, name and target of each level and arm."""
    users = (
        f" (of as many users, {scenario.think_time.shown})" if scenario.think_time.mean_s else ""
    )
    names = scenario.level_names or ("",) * len(scenario.concurrency)
    levels = [
        (level, (f" ({name})" if name else "") + users, scenario.target)
        for level, name in zip(scenario.concurrency, names, strict=True)
    ]
    levels += [
        (one.concurrency, f" ({one.title or one.label}){users}", scenario.target)
        for one in scenario.levels
    ]
    levels += [
        (one.slots, f" at most ({one.label}: {one.offered})", scenario.target)
        for one in scenario.arrivals
    ]
    levels += [
        (one.concurrency, f" ({one.label}){users}", scenario.target)
        for one in measured(scenario.stages)
    ]
    arms = [(arm.concurrency, f" (arm {arm.label})", arm.target) for arm in scenario.arms]
    return levels + arms
