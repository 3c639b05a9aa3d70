"""The objectives that are shipped: the tables of targets, and the limits of the KPI grades.

Users of the framework that this project replaces know these limits; they are the same for every
scenario, but that more errors are allowed under stress. Targets and grades are shown in every
report. Targets decide an exit code with ``--gate`` alone, grades decide none. Both are ordinary
SLOs, judged as those of a scenario are.

Source of the limits: the targets that its users know; for the grades, the KPI table in its README.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.config.slo.slo import Slo, parse_slo

if TYPE_CHECKING:
    from collections.abc import Mapping


def _slos(*texts: str) -> tuple[Slo, ...]:
    return tuple(map(parse_slo, texts))


@dataclass(frozen=True)
class TargetTable:
    """One table of targets.

    Attributes:
        by_concurrency: Objectives of closed-loop levels with this many workflows in flight.
        every_level: Objectives of every closed-loop level.
        errors: That on errors, under normal load and in a scenario of stress; None for none.
    """

    by_concurrency: Mapping[int, tuple[Slo, ...]]
    every_level: tuple[Slo, ...] = ()
    errors: tuple[Slo, Slo] | None = None

    def objectives(self, concurrency: int, *, stress: bool = False) -> tuple[Slo, ...]:
        """Return the objectives of a level.

        Args:
            concurrency: Its workflows in flight.
            stress: The scenario is one of stress.
        """
        errors = () if self.errors is None else (self.errors[stress],)
        return (*self.by_concurrency.get(concurrency, ()), *errors, *self.every_level)


TARGET_TABLES: dict[str, TargetTable] = {
    "expected": TargetTable(
        {
            100: _slos("throughput_per_s > 10", "avg_s < 1"),
            500: _slos("throughput_per_s > 25", "avg_s < 2"),
            1000: _slos("throughput_per_s > 40", "avg_s < 5"),
        },
    ),
    "minimum": TargetTable(
        {
            100: _slos("throughput_per_s > 5", "avg_s < 2"),
            500: _slos("throughput_per_s > 15", "avg_s < 5"),
            1000: _slos("throughput_per_s > 25", "avg_s < 10"),
        },
        _slos("memory_mb < 1000"),
        errors=(parse_slo("error_ratio < 0.05"), parse_slo("error_ratio < 0.15")),
    ),
    "goal": TargetTable(
        {
            1000: _slos("throughput_per_s > 50", "avg_s < 5"),
            2000: _slos("throughput_per_s > 80", "avg_s < 8"),
        },
        _slos("p99_s < 15", "memory_mb < 500"),
        errors=(parse_slo("error_ratio < 0.02"), parse_slo("error_ratio < 0.1")),
    ),
}


GATES = {"production": "minimum", "goal": "goal"}
"""Gate to the table of targets that it judges by."""


@dataclass(frozen=True)
class Kpi:
    """A key performance indicator: the limits of its grades, best first.

    Attributes:
        name: Its name in results and reports.
        good: Within this limit (not on it) the grade is good.
        acceptable: Within this limit (not on it) the grade is acceptable.
        poor: Beyond this limit the grade is poor; between the two lies marginal.
    """

    name: str
    good: Slo
    acceptable: Slo
    poor: Slo


KPIS: tuple[Kpi, ...] = (
    Kpi("throughput", *_slos("throughput_per_s > 50", "throughput_per_s > 10",
        "throughput_per_s > 5")),
    Kpi("average latency", *_slos("avg_s < 1", "avg_s < 5", "avg_s < 10")),
    Kpi("P99 latency", *_slos("p99_s < 5", "p99_s < 15", "p99_s < 30")),
    Kpi("success rate", *_slos("error_ratio < 0.01", "error_ratio < 0.05", "error_ratio < 0.1")),
    Kpi("memory", *_slos("memory_mb < 500", "memory_mb < 1000", "memory_mb < 2000")),
)  # fmt: skip
