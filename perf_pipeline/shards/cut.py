"""Cuts a run into shards: the same plan for all, every shard a stride of its workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.names import name_problem
from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.wording import listed
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.left_out import servers_needed
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.shards.shard_order import ShardOrder
from perf_pipeline.workload.servers import servers_optional

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings

ARRIVE_WITHIN_S = 300.0
"""An environment that is made anew takes a minute or two; so a host that is late is waited for."""


def cut(
    scenario: Scenario,
    settings: Settings,
    hosts: Sequence[str],
    *,
    run_id: str,
    machine: MachineLimits | None = None,
    arrive_within_s: float = ARRIVE_WITHIN_S,
) -> ShardOrder:
    """Cut a run into one shard a host.

    Without a number of worker processes in the scenario there are as many for each host as this
    machine has usable cores.

    Args:
        scenario: What to do; checked.
        settings: The addresses of the user's servers, which all hosts must reach.
        hosts: A name for each shard.
        run_id: The run.
        machine: Limits of this machine; None to read them.
        arrive_within_s: How long shards wait for each other.

    Raises:
        ScenarioError: It cannot be played in so many shards; with every reason.
    """
    left_out = _left_out(scenario)
    processes = scenario.processes
    if not processes:
        processes = len(hosts) * processes_of(scenario, machine or read_machine_limits())
    whole = replace(scenario, processes=processes)
    problems = list(_problems(whole, settings, hosts, left_out))
    if problem := name_problem("run id", run_id):
        problems.append(f"{problem}.")
    if problems:
        raise ScenarioError(problems)
    plans = plan_levels(whole, processes, left_out)
    return ShardOrder(
        run_id=run_id,
        hosts=tuple(hosts),
        scenario=whole,
        left_out=left_out,
        plan_sha256={plan.folder_name: plan.sha256() for plan in plans},
        arrive_within_s=arrive_within_s,
    )


def _left_out(scenario: Scenario) -> tuple[str, ...]:
    """Return the servers that workflows do without: all that they can.

    What a run stores on a server is made and removed by one host, for itself alone.
    """
    optional = (servers_optional(w.family, w.complexity) for w in scenario.workloads)
    return tuple(sorted(frozenset().union(*optional)))


def _problems(
    scenario: Scenario, settings: Settings, hosts: Sequence[str], left_out: tuple[str, ...]
) -> Iterator[str]:
    count, name = len(hosts), scenario.name
    if not hosts:
        yield "a run needs at least one shard."
    if again := sorted({host for host in hosts if hosts.count(host) > 1}):
        yield f"{listed(again)} is named twice: each shard has a host, and a queue, of its own."
    if scenario.endurance is not None:
        yield f"{name} plays hours, which one host plays: run_endurance plays it."
        return
    if scenario.stages:
        yield f"{name} has stages, which one supervisor steers: shards play levels."
    if scenario.phases.total_workflows:
        yield (
            f"{name} ends after {scenario.phases.total_workflows} workflows, which no shard can "
            "count alone: give a length (steady_s)."
        )
    if scenario.faults:
        yield f"{name} has failures, which one host injects: shards play levels without."
    levels = [*scenario.concurrency, *(one.concurrency for one in scenario.levels)]
    levels += [one.slots for one in scenario.arrivals]
    levels += [one.concurrency for one in scenario.arms]
    if small := sorted({level for level in levels if level < count}):
        shown = listed([str(level) for level in small])
        yield f"{count} shards cannot share {shown} in flight: each needs at least one."
    if scenario.processes and scenario.processes < count:
        yield (
            f"processes = {scenario.processes} are fewer than {count} shards: each shard has at "
            "least one worker process."
        )
    yield from _server_problems(scenario, settings, left_out)


def _server_problems(
    scenario: Scenario, settings: Settings, left_out: tuple[str, ...]
) -> Iterator[str]:
    name = scenario.name
    needed = servers_needed(scenario, left_out)
    functions = all(workload.is_function for workload in scenario.workloads)
    if needed and not functions:
        yield (
            f"{name} stores data of the run on {listed(sorted(needed))}, which one host makes and "
            "removes: shards play workflows without, or functions of your own."
        )
    elif local := sorted(needed - settings.urls.keys()):
        variables = listed([SERVICES[one].url_variable for one in local])
        yield f"every host must reach the same {listed(local)}: set {variables}."
