"""Grades closed-loop load levels by the limits of the key performance indicators (KPIs)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.judge import decide
from perf_pipeline.analysis.targets import has_shipped_objectives
from perf_pipeline.config.slo.shipped import KPIS
from perf_pipeline.metrics.types.targets import Grade, KpiGrade

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.config.slo.shipped import Kpi
    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.metrics.types.level import LevelMetrics


def kpi_grades(levels: Sequence[LevelMetrics]) -> tuple[KpiGrade, ...]:
    """Grade every level that the shipped limits apply to, by every indicator."""
    return tuple(
        _graded(level, kpi) for level in levels if has_shipped_objectives(level) for kpi in KPIS
    )


def grade_of(kpi: Kpi, value: float) -> Grade:
    """Return the grade of a value, in the unit of the indicator's SLOs."""
    if _is_within(kpi.good, value):
        return "good"
    if _is_within(kpi.acceptable, value):
        return "acceptable"
    return "marginal" if _is_within(kpi.poor, value) or value == kpi.poor.limit else "poor"


def _is_within(slo: Slo, value: float) -> bool:
    return value < slo.limit if slo.at_most else value > slo.limit


def _graded(level: LevelMetrics, kpi: Kpi) -> KpiGrade:
    """Grade one indicator: of a level that is not valid, only what is sure all the same.

    The judge of SLOs says whether the value decides anything. Beyond the limit of poor, a bound
    decides, and so does failing. A noisy host can only make a target look worse, so good stands.
    """
    found = decide(kpi.poor, level)
    grade: Grade = "no_data"
    if found.value is not None and found.verdict != "no_data":
        grade = grade_of(kpi, found.value)
    why = found.why
    is_sure = grade in ("good", "no_data") or found.verdict == "missed"
    if level.validity != "valid" and not is_sure:
        grade, why = "no_data", f"the level is {level.validity}"
    value, unit = found.value, kpi.poor.about.unit
    if kpi.poor.metric == "error_ratio":
        value, unit = None if value is None else 100 * (1 - value), "%"
    return KpiGrade(level.label, kpi.name, value, unit, grade, why if grade == "no_data" else "")
