"""``LoadTestConfig``: the options by the names that users know."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from perf_pipeline.compat.options import OF_FAULTS, OPTIONS, OURS
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.consistency import check_consistency
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.config.scenario.scenario import (
    FAMILIES,
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
    from perf_pipeline.config.machine import MachineLimits
    from perf_pipeline.config.scenario.scenario import Complexity, Nodes

_TITLE = "from LoadTestConfig"


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
        workflow_types: Of data_processing, analytics, transformation; None for all three.
        workflow_complexity: simple, medium or complex; the loads of the database test are complex
            unless they are given.
        enable_database_stress: True: every type uses the servers that it has at this complexity.
            False: only types that need no server are run, which are transformation and, below
            complex, data_processing.
        max_db_connections: Maximum of connections that all workers together open to each server.
        connection_timeout: s to wait for a free connection.
        memory_limit_mb: Memory of all workers; one above its share is ended. None for no limit.
        cpu_limit_percent: CPU of all workers, percent of one core; None for no limit.
        enable_failure_injection: Must be False, the default: faults come in a later version.
        failure_rate: Must be the default, likewise.
        failure_types: Must be None, the default, likewise.
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
        _refuse_faults(self, problems)
        workloads = _workloads(good)
        if not workloads:
            problems.at(
                ("enable_database_stress",),
                "is false, but every one of workflow_types needs a server at workflow_complexity "
                f'"{good["workflow_complexity"]}"; add "transformation" to workflow_types.',
            )
        scenario = _scenario(good, workloads)
        check_consistency(scenario, machine or read_machine_limits(), problems)
        if problems.sentences():
            raise ScenarioError(problems.sentences())
        return scenario


def _refuse_faults(config: LoadTestConfig, problems: Problems) -> None:
    """Refuse options about faults that are not their default: they would do nothing."""
    for option in fields(config):
        value = getattr(config, option.name)
        if option.name in OF_FAULTS and value != option.default:
            problems.replaced((option.name,), option.name)
            problems.at(
                (option.name,),
                f"is {shown(value)}; allowed is its default, {shown(option.default)}: faults come "
                "in a later version, and until then this option would do nothing. Leave it out.",
            )


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
        for family in good["workflow_types"] or FAMILIES
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
