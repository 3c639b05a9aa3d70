"""Checks that the fault windows of a scenario fit its load levels and each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.scenario.arrivals import schedule_length_s
from perf_pipeline.config.scenario.keys import FAULT
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario


def steady_lengths_s(scenario: Scenario) -> dict[str, float]:
    """Return the label of each load level that can have faults to the length of its steady phase.

    Arms are there to be compared, and stages share their workers: neither has faults.
    """
    warm_up_s = scenario.phases.warm_up_s
    own_s = scenario.phases.steady_s
    closed = {str(level): own_s for level in scenario.concurrency}
    closed |= {level.label: level.steady_s or own_s for level in scenario.levels}
    for arrivals in scenario.arrivals:
        label = arrivals.level or arrivals.label
        length_s = schedule_length_s(arrivals) - warm_up_s
        closed[label] = min(closed.get(label, length_s), length_s)
    return closed


def check_faults(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for each fault window that no level plays whole, or that doubles another."""
    tables = [("arrivals", index) for index, _ in enumerate(scenario.arrivals)]
    if not scenario.faults or not all(problems.is_good((*path, "trace")) for path in tables):
        return
    lengths_s = steady_lengths_s(scenario)
    if not lengths_s and problems.is_good(("concurrency",), ("arrivals",)):
        text = (
            "has no load level: stages and arms have no faults; give concurrency or [[arrivals]]."
        )
        problems.at((FAULT,), text)
    for index, window in enumerate(scenario.faults):
        here = (FAULT, index)
        if not problems.is_good(here, *((*here, name) for name in ("kind", "at_s", "duration_s"))):
            continue
        if window.level and window.level not in lengths_s:
            known = tuple(lengths_s)
            near = did_you_mean(window.level, known) or f"there are {listed(known)}."
            text = f"is {shown(window.level)}, which is no closed or open level; {near}"
            problems.at((*here, "level"), text)
            continue
        _find_too_late(window, lengths_s, index, problems)
        _find_twice(window, scenario.faults[:index], index, problems)


def faults_of_levels(scenario: Scenario, before: Scenario) -> tuple[FaultWindow, ...]:
    """Return the windows whose level is still there, after flags have changed the levels.

    Args:
        scenario: With the flags.
        before: Without them; a level that it lacks too is a problem, and its windows stay.
    """
    gone = _labels(before) - _labels(scenario)
    return tuple(one for one in scenario.faults if one.level not in gone)


def _labels(scenario: Scenario) -> set[str]:
    return {
        *map(str, scenario.concurrency),
        *(level.label for level in scenario.levels),
        *(arrivals.level or arrivals.label for arrivals in scenario.arrivals),
    }


def _find_too_late(
    window: FaultWindow, lengths_s: dict[str, float], index: int, problems: Problems
) -> None:
    for label, length_s in lengths_s.items():
        if window.level in ("", label) and window.end_s > length_s:
            problems.at(
                (FAULT, index, "at_s"),
                f"is {window.at_s:g}, so that the failure ends at {window.end_s:g} s, after the "
                f"{length_s:g} s of steady phase of level {label}; recovery needs time there too: "
                "begin sooner, or raise duration.",
            )
            return


def _find_twice(
    window: FaultWindow, before: tuple[FaultWindow, ...], index: int, problems: Problems
) -> None:
    for other in before:
        together = "" in (other.level, window.level) or other.level == window.level
        overlap = other.at_s < window.end_s and window.at_s < other.end_s
        if together and overlap and (why := _why_not_both(other, window)):
            problems.at(
                (FAULT, index, "at_s"),
                f"is {window.at_s:g}, while {other.name} lasts from {other.at_s:g} to "
                f"{other.end_s:g} s already; {why}.",
            )
            return


def _why_not_both(one: FaultWindow, other: FaultWindow) -> str:
    """Return why two failures cannot be at the same time; empty if they can."""
    if one.server != other.server:
        return ""
    if one.kind == other.kind:
        return "one failure is injected once at a time"
    if FAULT_KINDS[one.kind].by_proxy and FAULT_KINDS[other.kind].by_proxy:
        return f"on the way to {one.server} what one does would be taken for what the other does"
    return ""
