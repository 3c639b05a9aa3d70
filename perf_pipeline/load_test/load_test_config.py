"""``LoadTestConfig``: the options that users know, each of which does what it says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from perf_pipeline.config.complaints import Complaints
from perf_pipeline.config.contradictions import find_contradictions
from perf_pipeline.config.keys import (
    COMPLEXITY,
    CPU_LIMIT,
    FAMILY,
    LEVEL,
    MEMORY_LIMIT,
    SECTIONS,
    TOP,
    Key,
)
from perf_pipeline.config.scenario import (
    FAMILIES,
    Complexity,
    Connections,
    Limits,
    Phases,
    Scenario,
    Workload,
)
from perf_pipeline.errors import ScenarioError
from perf_pipeline.workload.servers import servers_used

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

_PHASES = {key.name: key for key in SECTIONS["phases"]}
_CONNECTIONS = {key.name: key for key in SECTIONS["connections"]}
_TOP = {key.name: key for key in TOP}
_SWITCH = _TOP["log_detail"]

_KEYS: dict[str, Key] = {
    "concurrent_workflows": replace(LEVEL, many=False),
    "total_workflows": _PHASES["total_workflows"],
    "ramp_up_duration": _PHASES["ramp_up_s"],
    "test_duration": _PHASES["steady_s"],
    "cooldown_duration": _PHASES["cooldown_s"],
    "workflow_types": replace(FAMILY, many=True),
    "workflow_complexity": COMPLEXITY,
    "enable_database_stress": replace(_SWITCH, meaning="workflows use their databases"),
    "max_db_connections": _CONNECTIONS["max_db_connections"],
    "connection_timeout": _CONNECTIONS["connection_timeout_s"],
    "memory_limit_mb": MEMORY_LIMIT,
    "cpu_limit_percent": CPU_LIMIT,
    "enable_failure_injection": replace(_SWITCH, meaning="failures are injected"),
    "metrics_collection_interval": _TOP["sample_every_s"],
    "enable_detailed_logging": _SWITCH,
}
"""Field to the row of the scenario's table that it is checked by."""


@dataclass
class LoadTestConfig:
    """One level of load under the names and defaults that users know.

    Attributes:
        concurrent_workflows: Workflows in flight at all times.
        total_workflows: The level ends when so many have ended, or when ``test_duration`` is over,
            whichever comes first; 0 for no such end.
        ramp_up_duration: s over which the slots start.
        test_duration: s, greatest length of the steady phase, the one that is measured.
        cooldown_duration: s of rest between two levels.
        workflow_types: Of data_processing, analytics, transformation; None for all three.
        workflow_complexity: simple, medium or complex.
        enable_database_stress: False leaves out the workflow types that need a server at this
            complexity; True lets every type use its own.
        max_db_connections: The most connections that all workers together open to each server.
        connection_timeout: s to wait for a free connection.
        memory_limit_mb: Memory of all workers; one above its share is ended. None for no limit.
        cpu_limit_percent: CPU of all workers, percent of one core; None for no limit.
        enable_failure_injection: Must be False: failures that are not real would be a lie, and
            real ones are not built yet.
        failure_rate: Share of workflows that failures would hit.
        failure_types: Which failures; None for all.
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
        machine: MachineLimits,
        *,
        name: str = "load_test",
        target: str = "kailash",
        nodes: str = "code",
    ) -> Scenario:
        """Return the scenario that these options mean.

        Args:
            machine: What this machine holds; a level above it is a problem.
            name: Part of the result files' names.
            target: What executes the workflows.
            nodes: How the workflows are written: ``code`` or ``lean``.

        Raises:
            ScenarioError: With every problem of every option.
        """
        problems = self._problems()
        if problems:
            raise ScenarioError(problems)
        scenario = Scenario(
            name=name,
            target=target,
            nodes="lean" if nodes == "lean" else "code",
            concurrency=(self.concurrent_workflows,),
            workloads=self._workloads(),
            phases=Phases(
                ramp_up_s=self.ramp_up_duration,
                warm_up_s=0,
                steady_s=self.test_duration,
                steady_max_s=self.test_duration,
                total_workflows=self.total_workflows,
                cooldown_s=self.cooldown_duration,
            ),
            connections=Connections(self.max_db_connections, self.connection_timeout),
            missing_servers="leave_out",
            limits=Limits(self.memory_limit_mb, self.cpu_limit_percent),
            sample_every_s=self.metrics_collection_interval,
            log_detail=self.enable_detailed_logging,
        )
        complaints = Complaints("LoadTestConfig")
        find_contradictions(scenario, machine, complaints)
        if complaints.problems():
            raise ScenarioError(complaints.problems())
        return scenario

    def _workloads(self) -> tuple[Workload, ...]:
        complexity = cast("Complexity", self.workflow_complexity)
        return tuple(
            Workload(family, complexity)
            for family in self.workflow_types or FAMILIES
            if self.enable_database_stress or not servers_used(family, complexity)
        )

    def _problems(self) -> list[str]:
        problems = []
        for name, key in _KEYS.items():
            value = getattr(self, name)
            if value is not None:
                problems += [f"{name} {text}" for _, text in key.complaints(value)]
        if self.enable_failure_injection is True:
            problems.append(
                "enable_failure_injection is true; allowed is false: injecting real failures, and "
                "proving that they were in effect, is not built yet."
            )
        if not problems and not self._workloads():
            problems.append(
                f"enable_database_stress is false, but every one of workflow_types needs a server "
                f"at workflow_complexity {self.workflow_complexity}; add transformation."
            )
        return problems
