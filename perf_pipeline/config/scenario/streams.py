"""Several arrival streams in one open level: ``[[arrivals]]`` tables with the same ``level``.

Each stream has its own schedule and may have workloads of its own. They share worker processes and
slots, of which there are as many as the streams have together.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.key_names import key_name
from perf_pipeline.config.wording import did_you_mean, listed, shown

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario


def streams_of(scenario: Scenario) -> dict[str, list[int]]:
    """Return level to the places of its streams in the scenario's arrivals."""
    found: dict[str, list[int]] = {}
    for index, one in enumerate(scenario.arrivals):
        if one.level:
            found.setdefault(one.level, []).append(index)
    return found


def check_streams(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for each stream that does not fit its level, or has unknown workloads."""
    labels = {arm.label for arm in scenario.arms} | {stage.label for stage in scenario.stages}
    labels |= {arrivals.label for arrivals in scenario.arrivals}
    for level, (first, *others) in streams_of(scenario).items():
        if level in labels:
            text = f'is "{level}", which is also a label; give the level another name.'
            problems.at(("arrivals", first, "level"), text)
        for index in others:
            for name in ("duration_s", "start_timeout_s"):
                one, other = (getattr(scenario.arrivals[at], name) for at in (index, first))
                if one != other:
                    problems.at(
                        ("arrivals", index, name),
                        f"is {one:g}, and {other:g} in the first stream of level {shown(level)}: "
                        f"streams that run together have the same {key_name('arrivals', name)}.",
                    )
    known = tuple(workload.name for workload in scenario.workloads)
    for index, arrivals in enumerate(scenario.arrivals):
        here = ("arrivals", index, "workloads")
        if arrivals.workloads and not arrivals.level:
            problems.at(here, "is given without level; only streams have workloads of their own.")
        for name in arrivals.workloads:
            if name not in known:
                near = did_you_mean(name, known) or f"there are {listed(known)}."
                problems.at(here, f"has {shown(name)}, which no [[workload]] is; {near}")


def with_streams_together(scenario: Scenario) -> Scenario:
    """Return the scenario with one open level in place of the streams that run together."""
    places = streams_of(scenario)
    levels: list[Arrivals] = []
    for index, one in enumerate(scenario.arrivals):
        same = places.get(one.level, [index])
        if not one.level:
            levels.append(one)
        elif index == same[0]:
            levels.append(_level_of(tuple(scenario.arrivals[at] for at in same)))
    return replace(scenario, arrivals=tuple(levels))


def _level_of(streams: tuple[Arrivals, ...]) -> Arrivals:
    first = streams[0]
    return Arrivals(
        label=first.level,
        schedule="streams",
        duration_s=first.duration_s,
        slots=sum(stream.slots for stream in streams),
        start_timeout_s=first.start_timeout_s,
        streams=streams,
    )
