"""The plan of a run: which levels it has, and in what order."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_window import windows_of
from perf_pipeline.config.scenario.arrivals import schedule_length_s
from perf_pipeline.config.scenario.scenario import Arm
from perf_pipeline.config.scenario.target_spec import (
    parse_target,
    target_facts,
    with_defaults,
)
from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.loadgen.left_out import workload_without
from perf_pipeline.loadgen.plan.arrivals import intended_starts
from perf_pipeline.loadgen.plan.level_plan import LevelPlan
from perf_pipeline.loadgen.plan.stage_plan import StagePlan, ramp_s, stage_plan
from perf_pipeline.loadgen.plan.streams import merged_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.level.named_level import NamedLevel
    from perf_pipeline.config.scenario.arrivals import Arrivals
    from perf_pipeline.config.scenario.scenario import Scenario, Workload
    from perf_pipeline.config.scenario.stages import Stage

KINDS_CYCLE = 1000
"""Length of the sequence of kinds; workflow ``n`` has the kind at ``n % KINDS_CYCLE``."""


def plan_levels(
    scenario: Scenario, processes: int, left_out: tuple[str, ...] = ()
) -> list[LevelPlan]:
    """Plan every level of a run: the levels of each repeat, and the arms after the first repeat.

    The open levels come after the closed ones, and stages, each of them a level, after both.

    Args:
        scenario: What to do.
        processes: Worker processes of a level, >= 1; a level with fewer slots uses fewer.
        left_out: Unavailable servers, to which workflows do not write.
    """
    levels = [
        Arm(
            label=str(slots),
            target=scenario.target,
            nodes=scenario.nodes,
            concurrency=slots,
            steady_s=scenario.phases.steady_s,
            settings=scenario.settings,
        )
        for slots in scenario.concurrency
    ]
    levels += [_named_level(level, scenario) for level in scenario.levels]
    levels += [_open_level(arrivals, scenario) for arrivals in scenario.arrivals]
    stages = [(_stage_level(stage, scenario), at) for at, stage in enumerate(scenario.stages, 1)]
    stages = [(level, number) for level, number in stages if level.concurrency]
    played: list[tuple[str, int, Arm, int]] = []
    for again in range(scenario.repeats):
        played += [("level", again, level, 0) for level in in_order(levels, scenario, again)]
        played += [("level", again, level, number) for level, number in stages]
        if not again:
            played += [("arm", 0, arm, 0) for arm in scenario.arms]
    titles = dict(zip(map(str, scenario.concurrency), scenario.level_names, strict=False))
    titles |= {level.label: level.title for level in scenario.levels}
    titles |= {arrivals.label: arrivals.title for arrivals in scenario.arrivals}
    titles |= {stage.label: f"{stage.concurrency} in flight" for stage in scenario.stages}
    most = max((level.concurrency for level, _ in stages), default=0)
    return [
        _plan_of(
            arm,
            scenario,
            index=index,
            role=role,
            repeat=repeat,
            title=titles.get(arm.label, "") if role == "level" else "",
            processes=min(processes, most if number else arm.concurrency),
            left_out=left_out,
            stage=stage_plan(scenario.stages, number, index - number + 1, scenario.phases)
            if number
            else None,
        )
        for index, (role, repeat, arm, number) in enumerate(played)
    ]


def _named_level(level: NamedLevel, scenario: Scenario) -> Arm:
    """Return what a named level has in common with the others."""
    return Arm(
        label=level.label,
        target=scenario.target,
        nodes=scenario.nodes,
        concurrency=level.concurrency,
        steady_s=scenario.phases.steady_s if level.steady_s is None else level.steady_s,
        settings=scenario.settings,
    )


def _open_level(arrivals: Arrivals, scenario: Scenario) -> Arm:
    """Return what an open level has in common with the others."""
    return Arm(
        label=arrivals.label,
        target=scenario.target,
        nodes=scenario.nodes,
        concurrency=arrivals.slots,
        steady_s=max(0.0, schedule_length_s(arrivals) - scenario.phases.warm_up_s),
        settings={**scenario.settings, **arrivals.settings},
    )


def _stage_level(stage: Stage, scenario: Scenario) -> Arm:
    """Return what a stage has in common with the levels."""
    return Arm(
        label=stage.label,
        target=scenario.target,
        nodes=scenario.nodes,
        concurrency=stage.concurrency,
        steady_s=scenario.phases.steady_s if stage.steady_s is None else stage.steady_s,
        settings=scenario.settings,
    )


def _plan_of(
    arm: Arm,
    scenario: Scenario,
    *,
    index: int,
    role: str,
    repeat: int,
    title: str,
    processes: int,
    left_out: tuple[str, ...],
    stage: StagePlan | None,
) -> LevelPlan:
    """Plan one level; a level of the scenario is an arm that has its number for a label."""
    name = parse_target(arm.target).name
    labelled = {one.label: one for one in scenario.arrivals if role == "level"}
    arrivals = labelled.get(arm.label)
    bounds = next((one for one in scenario.levels if one.label == arm.label), None)
    ramp_up_s = scenario.phases.ramp_s(arm.concurrency)
    if stage:
        ramp_up_s = ramp_s(scenario.stages[stage.number - 1], stage.before, scenario.phases)
    phases = replace(scenario.phases, steady_s=arm.steady_s, ramp_up_s=ramp_up_s)
    if arrivals is not None:
        phases = replace(phases, ramp_up_s=0.0, steady_max_s=max(arm.steady_s, 1.0))
    streams = (
        merged_streams(
            arrivals.streams, scenario.workloads, f"{scenario.seed}/{index}", mixed_kinds
        )
        if arrivals and arrivals.streams
        else None
    )
    return LevelPlan(
        index=index,
        label=arm.label,
        title=title,
        role=role,
        repeat=repeat,
        target=arm.target,
        mode=target_facts(name).mode,
        settings=with_defaults(name, dict(arm.settings)),
        nodes=arm.nodes,
        workloads=tuple(workload.name for workload in scenario.workloads),
        without=tuple(workload_without(one, left_out) for one in scenario.workloads),
        seed=scenario.seed,
        concurrency=arm.concurrency,
        processes=processes,
        phases=phases,
        limits=replace(scenario.limits, **bounds.limits()) if bounds else scenario.limits,
        kinds=streams.kinds
        if streams
        else mixed_kinds(scenario.workloads, random.Random(f"{scenario.seed}/{index}")),
        ramp_ns=even_ramp(stage.slots, 0.0) if stage else even_ramp(arm.concurrency, ramp_up_s),
        arrivals=arrivals,
        intended_ns=streams.intended_ns
        if streams
        else intended_starts(arrivals, random.Random(f"{scenario.seed}/{index}/arrivals"))
        if arrivals
        else array("q"),
        stream_of=streams.stream_of if streams else array("q"),
        connections=replace(scenario.connections, **bounds.pools())
        if bounds
        else scenario.connections,
        servers=scenario.servers,
        stop=scenario.stop,
        aborts=tuple(slo for slo in scenario.slos if slo.abort and slo.applies_to(role, arm.label)),
        log_detail=scenario.log_detail,
        think_time=scenario.think_time if arrivals is None else ThinkTime(),
        data=tuple(one.data_sha256 for one in scenario.workloads)
        if any(one.data for one in scenario.workloads)
        else (),
        requests=tuple(one.request for one in scenario.workloads if one.request),
        variables={**scenario.variables.stored(), **dict.fromkeys(scenario.variables.passed)},
        setup=scenario.setup,
        teardown=scenario.teardown,
        stage=stage,
        faults=windows_of(scenario.faults, arm.label) if role == "level" and not stage else (),
    )


def stages_after(plan: LevelPlan, plans: Sequence[LevelPlan]) -> tuple[LevelPlan, ...]:
    """Return the stages that the workers of a first stage play after it; none for a level alone."""
    if plan.stage is None:
        return ()
    same = (one for one in plans if one.stage and one.stage.home == plan.stage.home)
    return tuple(one for one in same if one.index > plan.index)


def in_order(levels: Sequence[Arm], scenario: Scenario, repeat: int) -> list[Arm]:
    """Return the levels of one repeat in the order in which they are played.

    Each repeat has its own draw from the seed, independent of every other draw. The place in
    the run is part of every plan's hash, so another order is another plan.
    """
    ordered = list(levels)
    if scenario.order == "shuffled":
        random.Random(f"{scenario.seed}/order/{repeat}").shuffle(ordered)
    return ordered


def mixed_kinds(workloads: tuple[Workload, ...], rng: random.Random) -> array[int]:
    """Draw the sequence of kinds: each has its exact share of the cycle, in random order.

    Shares are rounded by largest remainder, so every workload whose share is at least one in
    ``KINDS_CYCLE`` occurs.

    Returns:
        int64[KINDS_CYCLE], indices into ``workloads``.
    """
    total = sum(workload.weight for workload in workloads)
    exact = [workload.weight / total * KINDS_CYCLE for workload in workloads]
    counts = [int(share) for share in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (counts[i] - exact[i], i))
    for index in by_remainder[: KINDS_CYCLE - sum(counts)]:
        counts[index] += 1
    kinds = array("q", [index for index, count in enumerate(counts) for _ in range(count)])
    rng.shuffle(kinds)
    return kinds


def even_ramp(slots: int, ramp_up_s: float) -> array[int]:
    """Spread the starts of the slots evenly over the ramp-up.

    Returns:
        int64[slots], ns after the go, non-decreasing from 0.
    """
    return array("q", [int(slot * ramp_up_s * 1e9) // slots for slot in range(slots)])
