"""The row of the scenario's table of keys that checks each option of ``LoadTestConfig``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.fault.fault_kinds import FAULT_KINDS
from perf_pipeline.config.scenario.keys import (
    COMPLEXITY,
    CPU_LIMIT,
    FAMILY,
    LEVEL,
    MEMORY_LIMIT,
    NODES_KEY,
    SECTIONS,
    TARGET,
    TOP,
    Key,
)

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.positions import KeyPath


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        path: Path of its value in a scenario; its own name where a scenario has no such value.
        key: Its values and meaning.
        is_optional: None is allowed.
    """

    path: KeyPath
    key: Key
    is_optional: bool = False


def _rows(section: str) -> dict[str, Option]:
    return {key.name: Option((section, key.name), key) for key in SECTIONS[section]}


_PHASES, _CONNECTIONS = _rows("phases"), _rows("connections")
_TOP = {key.name: Option((key.name,), key) for key in TOP}


OPTIONS: dict[str, Option] = {
    "concurrent_workflows": Option(("concurrency",), replace(LEVEL, takes_many=False)),
    "total_workflows": _PHASES["total_workflows"],
    "ramp_up_duration": _PHASES["ramp_up_s"],
    "test_duration": _PHASES["steady_s"],
    "cooldown_duration": _PHASES["cooldown_s"],
    "workflow_types": Option(("workload",), replace(FAMILY, takes_many=True), is_optional=True),
    "workflow_complexity": Option(("workload", 0, "complexity"), COMPLEXITY),
    "enable_database_stress": Option(
        ("enable_database_stress",),
        Key("enable_database_stress", "boolean", "workflows use their servers"),
    ),
    "max_db_connections": _CONNECTIONS["max_db_connections"],
    "connection_timeout": _CONNECTIONS["connection_timeout_s"],
    "memory_limit_mb": Option(("limits", "memory_mb"), MEMORY_LIMIT, is_optional=True),
    "cpu_limit_percent": Option(("limits", "cpu_percent"), CPU_LIMIT, is_optional=True),
    "enable_failure_injection": Option(
        ("enable_failure_injection",),
        Key("enable_failure_injection", "boolean", "real failures are injected"),
    ),
    "failure_rate": Option(
        ("failure_rate",),
        Key("failure_rate", "number", "share of workflows that meet a failure", 0, 0.5),
    ),
    "failure_types": Option(
        ("failure_types",),
        Key("failure_types", "text", "what fails", choices=FAULT_KINDS, takes_many=True),
        is_optional=True,
    ),
    "metrics_collection_interval": _TOP["sample_every_s"],
    "enable_detailed_logging": _TOP["log_detail"],
}
"""One a field of ``LoadTestConfig``, in its order."""

OF_FAILURES = ("failure_rate", "failure_types")
"""Options that do nothing unless failures are injected."""

OURS: dict[str, Option] = {
    "name": Option(("name",), Key("name", "label", "part of the result files' names")),
    "target": Option(("target",), TARGET),
    "nodes": Option(("nodes",), NODES_KEY),
}
"""Further arguments of ``to_scenario``."""
