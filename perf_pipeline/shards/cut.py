"""Cuts a run into shards: the same plan for all, every shard a stride of its workers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.config.names import name_problem
from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ScenarioError, ServiceUnavailableError
from perf_pipeline.loadgen.left_out import servers_needed
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.servers.lifecycle.resolve import running_server
from perf_pipeline.shards.shard_order import GONE_AFTER_S, ShardOrder
from perf_pipeline.workload.servers import servers_optional

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

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
    gone_after_s: float = GONE_AFTER_S,
    runs: Callable[[Settings, str], bool] | None = None,
) -> ShardOrder:
    """Cut a run into one shard a host.

    Without a number of worker processes in the scenario there are as many for each host as this
    machine has usable cores.

    Args:
        scenario: What to do; checked.
        settings: Where servers are found; all hosts must reach the same.
        hosts: A name for each shard.
        run_id: The run.
        machine: Limits of this machine; None to read them.
        arrive_within_s: How long shards wait for each other.
        gone_after_s: After what silence a shard that was here is not waited for.
        runs: Whether a service runs already; None to look.

    Raises:
        ScenarioError: It cannot be played in so many shards; with every reason.
        ServiceUnavailableError: A server of the settings that is needed does not answer.
    """
    runs = runs or _runs
    used = servers_needed(scenario, ())
    optional = _optional(scenario)
    running = list(_running(settings, used, optional, runs))
    left_out = tuple(sorted(optional.difference(running)))
    processes = scenario.processes
    if not processes:
        processes = len(hosts) * processes_of(scenario, machine or read_machine_limits())
    whole = replace(scenario, processes=processes)
    problems = list(_problems(whole, hosts, running, left_out))
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
        gone_after_s=gone_after_s,
    )


def _runs(settings: Settings, service: str) -> bool:
    return running_server(settings, service)[0] is not None


def _optional(scenario: Scenario) -> frozenset[str]:
    """Return the servers that workflows do without where they do not run already.

    A server that ends with a run is one host's alone.
    """
    if scenario.missing_servers == "fail":
        return frozenset()
    optional = (servers_optional(w.family, w.complexity) for w in scenario.workloads)
    return frozenset().union(*optional)


def _running(
    settings: Settings,
    used: Collection[str],
    optional: Collection[str],
    runs: Callable[[Settings, str], bool],
) -> Iterator[str]:
    """Yield the servers that run already; one that is optional may be given, and not answer."""
    for service in sorted(used):
        try:
            if runs(settings, service):
                yield service
        except ServiceUnavailableError:
            if service not in optional:
                raise


def _problems(
    scenario: Scenario, hosts: Sequence[str], running: Collection[str], left_out: tuple[str, ...]
) -> Iterator[str]:
    count, name = len(hosts), scenario.name
    if not hosts:
        yield "a run needs at least one shard."
    if again := sorted({host for host in hosts if hosts.count(host) > 1}):
        yield f"{', '.join(again)} is named twice: each shard has a host, and a queue, of its own."
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
        shown = ", ".join(map(str, small))
        yield f"{count} shards cannot share {shown} in flight: each needs at least one."
    if scenario.processes and scenario.processes < count:
        yield (
            f"processes = {scenario.processes} are fewer than {count} shards: each shard has at "
            "least one worker process."
        )
    missing = sorted(servers_needed(scenario, left_out).difference(running))
    if missing:
        variables = ", ".join(SERVICES[one].url_variable for one in missing)
        yield (
            f"{name} needs {', '.join(missing)}, the same for every shard: set {variables}, or "
            "start servers with `perf-pipeline start` where all shards are on one machine."
        )
