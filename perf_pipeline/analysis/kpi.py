"""Grades of the key performance indicators.

Source of the limits: the README of the framework that this project replaces (KPI table); between
acceptable and poor lies ``marginal``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.analysis.targets import runs_own_code
from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.metrics.types.targets import Grade, KpiGrade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics


@dataclass(frozen=True)
class Scale:
    """From which value on an indicator is good, acceptable or poor."""

    what: str
    unit: str
    good: float
    acceptable: float
    poor: float

    def grade(self, value: float) -> Grade:
        """Grade a value; higher is better when good lies above poor."""
        sign = 1 if self.good > self.poor else -1
        if sign * value > sign * self.good:
            return "good"
        if sign * value > sign * self.acceptable:
            return "acceptable"
        return "poor" if sign * value < sign * self.poor else "marginal"


THROUGHPUT = Scale("throughput", "/s", 50, 10, 5)
AVERAGE = Scale("average latency", "s", 1, 5, 10)
P99 = Scale("P99 latency", "s", 5, 15, 30)
SUCCESS = Scale("success rate", "%", 99, 95, 90)
MEMORY = Scale("memory", "MB", 500, 1000, 2000)


def kpi_grades(levels: Sequence[LevelMetrics]) -> tuple[KpiGrade, ...]:
    """Grade every closed level of the families.

    Arms are not graded, nor is what was offered to an open level, nor functions of a user's own.
    """
    graded = (
        level
        for level in levels
        if level.role == "level" and level.loop == "closed" and not runs_own_code(level)
    )
    return tuple(grade for level in graded for grade in _grades(level))


def _grades(level: LevelMetrics) -> list[KpiGrade]:
    p99 = level.service_times.p99
    success = None if level.error_ratio is None else 100 * (1 - level.error_ratio)
    p99_why = ""
    if p99.at_least and (p99.value_s or 0) <= P99.poor:
        p99_why = "so many workflows had not ended that only a lower bound is known"
    elif not p99.at_least and p99.samples_beyond < MIN_TAIL_SAMPLES:
        p99_why = f"samples beyond it: {p99.samples_beyond} (at least {MIN_TAIL_SAMPLES})"
    return [
        _grade(level, THROUGHPUT, level.throughput_per_s),
        _grade(level, AVERAGE, level.service_times.avg_s),
        _grade(level, P99, p99.value_s, p99_why),
        _grade(level, SUCCESS, success),
        _grade(level, MEMORY, level.resources.workers_pss_peak_mb),
    ]


def _grade(level: LevelMetrics, scale: Scale, value: float | None, why: str = "") -> KpiGrade:
    if value is None:
        why = "not measured"
    elif level.validity != "valid":
        why = f"the level is {level.validity}"
    if value is None or why:
        return KpiGrade(level.label, scale.what, value, scale.unit, "no_data", why)
    return KpiGrade(level.label, scale.what, value, scale.unit, scale.grade(value))
