"""``LoadTestConfig``: the options by the names that users know."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast

from perf_pipeline.compat.failure_plan import (
    DEFAULT_TYPES,
    MIN_WINDOW_S,
    failure_windows,
    server_of,
)
from perf_pipeline.compat.options import OF_FAILURES, OPTIONS, OURS
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.consistency import check_consistency
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.scenario.scenario import (
    ConnectionPools,
    Phases,
    Scenario,
    WorkerLimits,
    Workload,
)
from perf_pipeline.config.wording import shown
from perf_pipeline.errors import ScenarioError
from perf_pipeline.workload.servers import servers_used

if TYPE_CHECKING:
    from perf_pipeline.config.fault.fault_window import FaultWindow
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Complexity, Nodes

_TITLE = "from LoadTestConfig"

WORKFLOW_TYPES = ("transformation", "analytics", "data_processing")
"""The types of a load where none are named; the database test has a family of its own."""


@dataclass(slots=True)  # a misspelt option cannot be set: it would do nothing
class LoadTestConfig:
    """One level of load under the names and defaults that users know.

    Attributes:
        concurrent_workflows: Workflows in flight at all times.
        total_workflows: The level ends when so many have ended in its steady phase, or when
            ``test_duration`` is over, whichever comes first; 0 for no such end. Those that end
            while the slots still start, and until each has had its turn once, are beside them;
            what is in flight at the end may still end, and is not measured. A total below three
            times ``concurrent_workflows`` is reported as not steady.
        ramp_up_duration: s over which the slots start.
        test_duration: s, length of the steady phase, the one that is measured.
        cooldown_duration: s of rest between the end of one level and the start of the next,
            whichever method of ``LoadTestFramework`` runs them.
        workflow_types: Of data_processing, analytics, transformation and database; None for the
            first three, and in the database test for database alone.
        workflow_complexity: simple, medium or complex; the loads of the database test are complex
            unless they are given.
        enable_database_stress: True: every type uses the servers that it has at this complexity.
            False: only types that need no server are run, which are transformation and, below
            complex, data_processing.
        max_db_connections: Maximum of connections that all workers together open to each server.
        connection_timeout: s to wait for a free connection.
        memory_limit_mb: Memory of all workers; one above its share is ended. None for no limit.
        cpu_limit_percent: CPU of all workers, percent of one core; None for no limit.
        enable_failure_injection: Real failures are injected in the steady phase, each done to a
            server that the workflows use, or to the machine.
        failure_rate: Probability that a workflow meets one: the share of ``test_duration`` in
            which a failure is in effect. Those of a level that ends sooner are not injected.
        failure_types: Which, in turn; None for database_timeout, memory_pressure and
            connection_exhaustion.
        metrics_collection_interval: s between two samples of the resources.
        enable_detailed_logging: What the target logs goes to the workers' logs.
    """

    concurrent_workflows: int = 100
    total_workflows: int = 1000
    ramp_up_duration: float = 60
    test_duration: float = 300
    cooldown_duration: float = 30
    workflow_types: list[str] | None = None
    workflow_complexity: str = "medium"
    enable_database_stress: bool = True
    max_db_connections: int = 100
    connection_timeout: float = 30
    memory_limit_mb: float | None = None
    cpu_limit_percent: float | None = None
    enable_failure_injection: bool = False
    failure_rate: float = 0.05
    failure_types: list[str] | None = None
    metrics_collection_interval: float = 5
    enable_detailed_logging: bool = False

    def to_scenario(
        self,
        name: str = "load_test",
        *,
        target: str = "kailash",
        nodes: str = "code",
        machine: MachineLimits | None = None,
    ) -> Scenario:
        """Return the scenario that these options mean.

        Args:
            name: Part of the result files' names.
            target: What executes the workflows.
            nodes: How the workflows are written: ``code`` or ``lean``.
            machine: What a level must not exceed; None for the limits of this machine.

        Raises:
            ScenarioError: With every problem of every option.
        """
        problems = Problems("LoadTestConfig")
        given = {option: getattr(self, option) for option in OPTIONS}
        given |= {"name": name, "target": target, "nodes": nodes}
        good = {option: _checked(option, value, problems) for option, value in given.items()}
        _find_failures_without_effect(self, problems)
        workloads = _workloads(good)
        if not workloads:
            problems.at(
                ("enable_database_stress",),
                "is false, but every one of workflow_types needs a server at workflow_complexity "
                f'"{good["workflow_complexity"]}"; add "transformation" to workflow_types.',
            )
        scenario = _scenario(good, workloads)
        if good["enable_failure_injection"]:
            scenario = replace(scenario, faults=_failures(good, workloads, problems))
        check_consistency(scenario, machine or read_machine_limits(), problems)
        if problems.sentences():
            raise ScenarioError(problems.sentences())
        return scenario


def _find_failures_without_effect(config: LoadTestConfig, problems: Problems) -> None:
    """Refuse options about failures where none is injected: they would do nothing."""
    for option in fields(config):
        value = getattr(config, option.name)
        if (
            option.name in OF_FAILURES
            and value != option.default
            and config.enable_failure_injection is False
        ):
            text = "and no failure is injected; set enable_failure_injection, or leave it out."
            problems.at((option.name,), f"is {shown(value)}, {text}")


def _failures(
    good: dict[str, Any], workloads: tuple[Workload, ...], problems: Problems
) -> tuple[FaultWindow, ...]:
    """Return the fault windows that the options mean."""
    used = frozenset().union(*(servers_used(one.family, one.complexity) for one in workloads))
    types = good["failure_types"] or DEFAULT_TYPES
    homeless = [one for one in types if server_of(one, used) is None]
    if homeless:
        text = f"has {', '.join(homeless)}, but the workflows use no server that it is done to"
        problems.at(("failure_types",), f"{text}; name others, or other workflow_types.")
    rate, steady_s = good["failure_rate"], good["test_duration"]
    windows = failure_windows(rate, types, used, steady_s, Scenario.seed) if not homeless else ()
    if not windows and not homeless and problems.is_good(("failure_rate",)):
        problems.at(
            ("failure_rate",),
            f"is {rate:g} of test_duration ({steady_s:g} s), less than the {MIN_WINDOW_S:g} s of "
            "the shortest failure; raise one of them, or switch enable_failure_injection off.",
        )
    return windows


def _checked(option: str, value: object, problems: Problems) -> Any:
    """Return the value, or one that fits in its place, so that the check can go on."""
    row = {**OPTIONS, **OURS}[option]
    problems.replaced(row.path, option)
    if value is None and row.is_optional:
        return None
    wrong = [text for _, text in row.key.problems_of(value)]
    for text in wrong:
        problems.at(row.path, text)
    if not wrong:
        return value
    return None if row.is_optional else row.key.stand_in()


def _workloads(good: dict[str, Any]) -> tuple[Workload, ...]:
    complexity: Complexity = good["workflow_complexity"]
    return tuple(
        Workload(family, complexity)
        for family in good["workflow_types"] or WORKFLOW_TYPES
        if good["enable_database_stress"] or not servers_used(family, complexity)
    )


def _scenario(good: dict[str, Any], workloads: tuple[Workload, ...]) -> Scenario:
    return Scenario(
        name=good["name"],
        title=_TITLE,
        target=good["target"],
        nodes=cast("Nodes", good["nodes"]),
        concurrency=(good["concurrent_workflows"],),
        workloads=workloads,
        phases=Phases(
            ramp_up_s=good["ramp_up_duration"],
            warm_up_s=0,
            steady_s=good["test_duration"],
            steady_max_s=good["test_duration"],
            total_workflows=good["total_workflows"],
            cooldown_s=good["cooldown_duration"],
        ),
        connections=ConnectionPools(good["max_db_connections"], good["connection_timeout"]),
        missing_servers="leave_out",
        limits=WorkerLimits(good["memory_limit_mb"], good["cpu_limit_percent"]),
        sample_every_s=good["metrics_collection_interval"],
        log_detail=good["enable_detailed_logging"],
    )
