"""The grades of the key performance indicators, at and around every boundary."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.kpi import grade_of, kpi_grades
from perf_pipeline.config.slo.shipped import KPIS
from perf_pipeline.metrics.types.service_times import Percentile

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.targets import KpiGrade


@pytest.mark.parametrize(
    ("name", "grades"),
    [
        (
            "throughput",
            {
                50.1: "good",
                50: "acceptable",
                10.1: "acceptable",
                10: "marginal",
                5: "marginal",
                4.9: "poor",
                0: "poor",
            },
        ),
        (
            "average latency",
            {
                0.9: "good",
                1: "acceptable",
                4.9: "acceptable",
                5: "marginal",
                10: "marginal",
                10.1: "poor",
            },
        ),
        (
            "P99 latency",
            {4.9: "good", 5: "acceptable", 15: "marginal", 30: "marginal", 30.1: "poor"},
        ),
        (
            "success rate",
            {0: "good", 0.01: "acceptable", 0.05: "marginal", 0.1: "marginal", 0.101: "poor"},
        ),
        (
            "memory",
            {499: "good", 500: "acceptable", 1000: "marginal", 2000: "marginal", 2001: "poor"},
        ),
    ],
)
def test_a_value_on_a_boundary_has_the_worse_grade_but_is_not_yet_poor(
    name: str, grades: dict[float, str]
) -> None:
    """The old table says "> 50", "< 1": the boundary itself is not good; poor is beyond it.

    The limits of the success rate are those of the error ratio: 99 % is 0.01.
    """
    (kpi,) = [kpi for kpi in KPIS if kpi.name == name]
    assert {value: grade_of(kpi, value) for value in grades} == grades


def _grade(level: LevelMetrics, what: str) -> KpiGrade:
    (grade,) = [grade for grade in kpi_grades([level]) if grade.what == what]
    return grade


def test_every_indicator_of_the_table_is_graded_once_a_level(valid_level: LevelMetrics) -> None:
    """1000/s, 10 ms, no errors, thousands of samples; memory was not sampled."""
    grades = kpi_grades([valid_level, replace(valid_level, role="arm")])

    assert [(g.what, g.grade, g.unit) for g in grades] == [
        ("throughput", "good", "/s"),
        ("average latency", "good", "s"),
        ("P99 latency", "good", "s"),
        ("success rate", "good", "%"),
        ("memory", "no_data", "MB"),
    ]
    assert grades[0].value == pytest.approx(1000, rel=0.01)
    assert grades[4].why == "the resource monitor has no sample of the steady phase"


def test_the_success_rate_is_one_minus_the_error_ratio_in_percent(
    valid_level: LevelMetrics,
) -> None:
    grade = _grade(replace(valid_level, error_ratio=0.02), "success rate")

    assert grade.value == pytest.approx(98)
    assert grade.grade == "acceptable"


def test_an_invalid_level_is_not_graded(valid_level: LevelMetrics) -> None:
    grades = kpi_grades([replace(valid_level, validity="not_steady")])

    assert {grade.grade for grade in grades} == {"no_data"}
    assert grades[0].why.startswith("the level is not_steady: ")
    assert grades[0].value == pytest.approx(1000, rel=0.01)


@pytest.mark.parametrize(
    ("value_s", "beyond", "at_least", "grade", "why"),
    [
        (3.0, 10, False, "good", ""),
        (3.0, 9, False, "no_data", "9 samples lie beyond it (at least 10)"),
        (29.0, 0, True, "no_data", "only a lower bound"),
        (30.0, 0, True, "no_data", "only a lower bound"),
        (30.1, 0, True, "poor", ""),
    ],
)
def test_a_p99_is_graded_on_ten_samples_beyond_it_or_when_it_is_surely_poor(
    valid_level: LevelMetrics, value_s: float, beyond: int, grade: str, why: str, *, at_least: bool
) -> None:
    p99 = Percentile(0.99, value_s, at_least=at_least, samples_beyond=beyond)
    times = replace(valid_level.service_times, samples=max(1, 100 * beyond), percentiles=(p99,))

    found = _grade(replace(valid_level, service_times=times), "P99 latency")

    assert found.grade == grade
    assert why in found.why
    assert bool(found.why) == (grade == "no_data")


@pytest.mark.parametrize(("rate", "grade"), [(60.0, "good"), (20.0, "no_data"), (1.0, "no_data")])
def test_on_a_noisy_host_only_good_is_certain(
    valid_level: LevelMetrics, rate: float, grade: str
) -> None:
    """Without the neighbour 20/s, which is acceptable, might have been good."""
    level = replace(valid_level, throughput_per_s=rate, validity="noisy_host")
    found = _grade(level, "throughput")
    assert (found.grade, found.value) == (grade, rate)
    assert found.why == ("" if grade == "good" else "the level is noisy_host")
