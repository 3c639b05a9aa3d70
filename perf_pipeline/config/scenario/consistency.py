"""Checks that the values of a scenario contradict neither each other nor this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.endurance.endurance_checks import check_endurance
from perf_pipeline.config.fault.fault_checks import check_faults
from perf_pipeline.config.level_bounds import SLOT_IS, largest_level, mode_of
from perf_pipeline.config.machine import processes_of
from perf_pipeline.config.scenario.arrivals import schedule_length_s
from perf_pipeline.config.scenario.key_names import key_name
from perf_pipeline.config.scenario.keys import REPEATED, SETTINGS
from perf_pipeline.config.scenario.stage_checks import check_stages
from perf_pipeline.config.scenario.streams import check_streams, streams_of
from perf_pipeline.config.scenario.target_settings import check_settings
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.scenario.user_code import check_setup_and_teardown, check_workload_kinds

if TYPE_CHECKING:
    from perf_pipeline.config.level.named_level import NamedLevel
    from perf_pipeline.config.level_bounds import Bound
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.scenario.stages import Stage


def check_duplicates(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for each workload or label given twice, and for level names without a level."""
    _find_names_without_levels(scenario, problems)
    workloads: set[tuple[str, str]] = set()
    for index, workload in enumerate(scenario.workloads):
        kind = (workload.family, workload.complexity)
        named = workload.name.replace("/", ", ")
        is_good = problems.is_good(("workload", index, "family"), ("workload", index, "complexity"))
        if is_good and workload.request is None:
            if kind in workloads:
                problems.at(
                    ("workload", index),
                    f"is {named} for the second time; give the first one a greater weight instead.",
                )
            workloads.add(kind)
    labels: set[str] = set()
    arms = "each arm needs its own label"
    both = "each arm, named or open level and stage needs its own label"
    kinds: dict[str, tuple[NamedLevel | Stage, ...]] = {
        "level": scenario.levels,
        "stage": scenario.stages,
    }
    labelled = [(("arm", i, "label"), arm.label, arms) for i, arm in enumerate(scenario.arms)]
    labelled += [
        (("arrivals", i, "label"), open_level.label, both)
        for i, open_level in enumerate(scenario.arrivals)
    ]
    labelled += [
        ((table, i, "label"), one.label, both)
        for table, ones in kinds.items()
        for i, one in enumerate(ones)
    ]
    for path, label, needed in labelled:
        if problems.is_good(path):
            if label in labels:
                problems.at(
                    path, f'is "{label}" for the second time; {needed} (it names a folder).'
                )
            labels.add(label)


def check_consistency(scenario: Scenario, machine: MachineLimits, problems: Problems) -> None:
    """Add a problem for each value that fits its key but not the other values or this machine."""
    _find_phases_out_of_order(scenario, problems)
    _find_schedules_without_a_steady_phase(scenario, problems)
    check_stages(scenario, problems)
    check_streams(scenario, problems)
    check_faults(scenario, problems)
    check_endurance(scenario, problems)
    _find_settings_that_do_not_fit(scenario, problems)
    _find_think_time_without_a_transaction(scenario, problems)
    check_workload_kinds(scenario, problems)
    check_setup_and_teardown(scenario, problems)
    _find_a_log_that_nothing_fills(scenario, problems)
    if problems.is_good(("processes",)):
        _find_too_few_connections(scenario, processes_of(scenario, machine), problems)
        _find_levels_above_the_machine(scenario, machine, problems)
        _find_streams_above_the_machine(scenario, machine, problems)
        _find_endurance_above_the_machine(scenario, machine, problems)


def _find_phases_out_of_order(scenario: Scenario, problems: Problems) -> None:
    phases, longest = scenario.phases, ("phases", "steady_max_s")
    for name in ("warm_up_s", "steady_s"):
        min_s = getattr(phases, name)
        if problems.is_good(longest, ("phases", name)) and phases.steady_max_s < min_s:
            problems.at(
                longest,
                f"is {phases.steady_max_s:g}, below {key_name('phases', name)} ({min_s:g}): the "
                "maximum length of "
                f"a phase is at least its minimum length; allowed is {min_s:g} s or more.",
            )
    for index, arm in enumerate(scenario.arms):
        path = ("arm", index, "steady_s")
        if problems.is_good(longest, path) and arm.steady_s > phases.steady_max_s:
            problems.at(
                path,
                f"is {arm.steady_s:g}, above phases.steady_max_s ({phases.steady_max_s:g}), the "
                f"maximum length of a phase; allowed is {phases.steady_max_s:g} s or less.",
            )
    for index, level in enumerate(scenario.levels):
        path = ("level", index, "steady_s")
        if problems.is_good(longest, path) and (level.steady_s or 0) > phases.steady_max_s:
            problems.at(path, f"is {level.steady_s:g}, above phases.steady_max_s; raise that.")


def _find_schedules_without_a_steady_phase(scenario: Scenario, problems: Problems) -> None:
    warm_up_s = scenario.phases.warm_up_s
    for index, arrivals in enumerate(scenario.arrivals):
        path = ("arrivals", index)
        if not problems.is_good(path, *((*path, key.name) for key in REPEATED["arrivals"])):
            continue
        if (length_s := schedule_length_s(arrivals)) <= warm_up_s:
            problems.at(
                (*path, "duration_s"),
                f"is {length_s:g} s, all of it warm-up (phases.warm_up_s is {warm_up_s:g}): the "
                "schedule must be longer, for what follows the warm-up is measured.",
            )


def _find_settings_that_do_not_fit(scenario: Scenario, problems: Problems) -> None:
    for index, arrivals in enumerate(scenario.arrivals):
        here = ("arrivals", index, SETTINGS)
        if not arrivals.settings or not problems.is_good(("target",)):
            continue
        check_settings(arrivals.settings, scenario.target, here, problems)
        if arrivals.level:
            text = "is given for a stream; the streams of a level share its target: give settings "
            problems.at(here, f"{text}at the top.")


def _find_think_time_without_a_transaction(scenario: Scenario, problems: Problems) -> None:
    path = ("connections", "transaction_think_time_s")
    think_s = scenario.connections.transaction_think_time_s
    families = {workload.family for workload in scenario.workloads}
    if think_s and problems.is_good(path, ("workload",)) and "database" not in families:
        problems.at(
            path,
            f'is {think_s:g}, but no workload has the family "database", the one that thinks in a '
            "transaction; leave it out, or add such a workload.",
        )


def _find_a_log_that_nothing_fills(scenario: Scenario, problems: Problems) -> None:
    path = ("log_detail",)
    if scenario.log_detail and problems.is_good(path, ("target",)):
        name = parse_target(scenario.target).name
        if name.startswith("control"):
            problems.at(
                path, f"is true; allowed is false for {name}: without a runtime, nothing logs."
            )


def _find_too_few_connections(scenario: Scenario, processes: int, problems: Problems) -> None:
    path, limit = ("connections", "max_db_connections"), scenario.connections.max_db_connections
    if problems.is_good(path) and limit < processes:
        problems.at(
            path,
            f"is {limit}, below the {processes} worker processes that share it: each needs one "
            f"connection; allowed is {processes} or more, or lower processes.",
        )
    for index, level in enumerate(scenario.levels):
        own = level.max_db_connections
        here = ("level", index, "max_db_connections")
        if own is not None and own < processes and problems.is_good(here):
            problems.at(here, f"is {own}, below the {processes} worker processes that share it.")


def _find_levels_above_the_machine(
    scenario: Scenario, machine: MachineLimits, problems: Problems
) -> None:
    processes = processes_of(scenario, machine)
    bound = largest_level(machine, processes, mode_of(scenario.target))
    for level in scenario.concurrency:
        if level > bound.level:
            tail = _above(bound, scenario.target, machine, processes)
            problems.at(("concurrency",), f"contains {level}, {tail}")
    for index, arrivals in enumerate(scenario.arrivals):
        path = ("arrivals", index, "slots")
        if problems.is_good(path) and arrivals.slots > bound.level:
            tail = _above(bound, scenario.target, machine, processes)
            problems.at(path, f"is {arrivals.slots}, {tail}")
    tables: dict[str, tuple[NamedLevel | Stage, ...]] = {
        "level": scenario.levels,
        "stage": scenario.stages,
    }
    for table, ones in tables.items():
        for index, one in enumerate(ones):
            path = (table, index, "concurrency")
            if problems.is_good(path) and one.concurrency > bound.level:
                tail = _above(bound, scenario.target, machine, processes)
                problems.at(path, f"is {one.concurrency}, {tail}")
    for index, arm in enumerate(scenario.arms):
        path = ("arm", index, "concurrency")
        own = largest_level(machine, processes, mode_of(arm.target))
        is_reported = own.level == bound.level and arm.concurrency in scenario.concurrency
        if problems.is_good(path) and arm.concurrency > own.level and not is_reported:
            tail = _above(own, arm.target, machine, processes)
            problems.at(path, f"is {arm.concurrency}, {tail}")


def _find_endurance_above_the_machine(
    scenario: Scenario, machine: MachineLimits, problems: Problems
) -> None:
    soak, path = scenario.endurance, ("endurance", "slots")
    processes = processes_of(scenario, machine)
    bound = largest_level(machine, processes, mode_of(scenario.target))
    if soak is not None and problems.is_good(path) and soak.slots > bound.level:
        tail = _above(bound, scenario.target, machine, processes)
        problems.at(path, f"is {soak.slots}, {tail}")


def _find_streams_above_the_machine(
    scenario: Scenario, machine: MachineLimits, problems: Problems
) -> None:
    processes = processes_of(scenario, machine)
    bound = largest_level(machine, processes, mode_of(scenario.target))
    for name, places in streams_of(scenario).items():
        slots = sum(scenario.arrivals[at].slots for at in places)
        if slots > bound.level and len(places) > 1:
            tail = _above(bound, scenario.target, machine, processes)
            path = ("arrivals", places[-1], "slots")
            problems.at(path, f"makes {slots} with the other streams of level {name}, {tail}")


def _above(bound: Bound, target: str, machine: MachineLimits, processes: int) -> str:
    mode = mode_of(target)
    where = f"on {target}, where a slot is {SLOT_IS[mode]} ({bound.what}: {bound.arithmetic})"
    more = largest_level(machine, processes, "asyncio").level
    tail = f"; asynchronous targets can run {more} here" if mode == "threads" and more else ""
    if bound.level == 0:
        return f"but this machine can run not even one {where}; {bound.remedy}{tail}."
    return (
        f"above the {bound.level} that this machine can run {where}; "
        f"allowed is 1 to {bound.level}, or {bound.remedy}{tail}."
    )


def _find_names_without_levels(scenario: Scenario, problems: Problems) -> None:
    names, levels = len(scenario.level_names), len(scenario.concurrency)
    if names and names != levels and problems.is_good(("level_names",), ("concurrency",)):
        problems.at(
            ("level_names",),
            f"has {names} names for {levels} levels; name each level, or none.",
        )
