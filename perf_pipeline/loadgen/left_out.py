"""The servers that a scenario needs, and those that it leaves out on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.wording import listed
from perf_pipeline.errors import ScenarioError
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.workload.servers import servers_optional, servers_used

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import Scenario, Workload
    from perf_pipeline.config.settings import Settings


def workload_without(workload: Workload, left_out: tuple[str, ...]) -> tuple[str, ...]:
    """Return the servers that one workload is built without."""
    optional = servers_optional(workload.family, workload.complexity)
    return tuple(sorted(optional.intersection(left_out)))


def servers_left_out(scenario: Scenario, settings: Settings) -> tuple[str, ...]:
    """Return the unavailable servers that the scenario allows to leave out."""
    if scenario.missing_servers == "fail":
        return ()
    optional = (servers_optional(w.family, w.complexity) for w in scenario.workloads)
    found = server_status(settings, sorted(frozenset().union(*optional)))
    return tuple(status.service for status in found if status.state == "unavailable")


def servers_needed(scenario: Scenario, left_out: tuple[str, ...]) -> frozenset[str]:
    """Return the servers without which the scenario cannot run.

    Raises:
        ScenarioError: A failure is done to a server that no workflow uses: it would show nothing.
    """
    used = (
        servers_used(w.family, w.complexity, workload_without(w, left_out))
        for w in scenario.workloads
    )
    needed = frozenset(scenario.servers).union(*used)
    known = {"", *needed, *left_out}
    problems = [
        f"{window.name}: no workflow of {scenario.name} uses {window.server}, so the failure would "
        f"show nothing; name {listed(sorted(needed))}, or add a workload that uses it."
        for window in scenario.faults
        if window.server not in known
    ]
    if problems:
        raise ScenarioError(problems)
    return needed
