"""The tables of targets: a limit is met, missed, or there is no data; never a guess."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.kpi import kpi_grades
from perf_pipeline.analysis.slo.judge import judge_slos
from perf_pipeline.analysis.targets import target_rows
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.slo.shipped import TARGET_TABLES
from perf_pipeline.metrics.types.service_times import Percentile

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.targets import TargetRow


def _at(level: LevelMetrics, concurrency: int, **changes: object) -> LevelMetrics:
    return replace(level, label=str(concurrency), concurrency=concurrency, **changes)  # type: ignore[arg-type]


def _row(level: LevelMetrics, table: str, what: str) -> TargetRow:
    (row,) = [r for r in target_rows([level]) if (r.table, r.what) == (table, what)]
    return row


def _with_p99(level: LevelMetrics, value_s: float, beyond: int, *, at_least: bool) -> LevelMetrics:
    p99 = Percentile(0.99, value_s, at_least=at_least, samples_beyond=beyond)
    times = replace(level.service_times, samples=max(1, 100 * beyond), percentiles=(p99,))
    return _at(level, 1000, service_times=times)


def test_the_limits_are_those_that_users_know(valid_level: LevelMetrics) -> None:
    """Design, "Targets that users know": throughput and average latency by concurrency."""
    known = {
        ("expected", 100): (10, 1),
        ("expected", 500): (25, 2),
        ("expected", 1000): (40, 5),
        ("minimum", 100): (5, 2),
        ("minimum", 500): (15, 5),
        ("minimum", 1000): (25, 10),
        ("goal", 1000): (50, 5),
        ("goal", 2000): (80, 8),
    }
    for n in (10, 100, 500, 1000, 2000):
        rows = target_rows([_at(valid_level, n)])
        for table in ("expected", "minimum", "goal"):
            limits = {r.what: r.limit for r in rows if r.table == table}
            expected = known.get((table, n))
            found = (limits.get("throughput"), limits.get("average latency"))
            assert found == (expected or (None, None))


@pytest.mark.parametrize(("stress", "limits"), [(False, (5, 2)), (True, (15, 10))])
def test_more_errors_are_allowed_under_stress(
    valid_level: LevelMetrics,
    stress: bool,  # noqa: FBT001
    limits: tuple[int, int],
) -> None:
    """12 % of errors: too many for production under normal load, and not under stress."""
    level = _at(valid_level, 500, error_ratio=0.12)
    rows = [row for row in target_rows([level], stress=stress) if row.what == "error ratio"]
    assert {row.table: row.limit for row in rows} == dict(
        zip(("minimum", "goal"), limits, strict=True)
    )
    assert rows[0].verdict == ("met" if stress else "missed")


@pytest.mark.parametrize("target", ["control", "control_async", "callable", "callable_async+x"])
def test_what_is_no_runtime_of_ours_has_no_targets_and_no_grades(
    valid_level: LevelMetrics, target: str
) -> None:
    level = _at(valid_level, 100, target=target)
    assert target_rows([level]) == ()
    assert kpi_grades([level]) == ()


def test_an_overloaded_level_misses_its_targets_by_a_bound(valid_level: LevelMetrics) -> None:
    """1000 in flight for 20 s, of which 100 ended: the mean is at least 18 s, above 5 and 10 s."""
    times = replace(
        valid_level.service_times, samples=100, in_flight_at_end=1000, avg_s=200.0, percentiles=()
    )
    level = _at(
        valid_level,
        1000,
        validity="not_steady",
        phases={"steady": (0.0, 20.0)},
        service_times=times,
        throughput_per_s=5.0,
    )
    for table in ("expected", "minimum", "goal"):
        row = _row(level, table, "average latency")
        assert (row.verdict, row.at_least) == ("missed", True)
        assert row.value == pytest.approx(18.2, abs=0.1)
    (grade,) = [one for one in kpi_grades([level]) if one.what == "average latency"]
    assert grade.grade == "poor"
    assert _row(level, "minimum", "throughput").verdict == "no_data"


def test_the_scenario_of_stress_is_one_of_stress_and_that_of_normal_load_is_not() -> None:
    assert open_scenario("stress").stress
    assert not open_scenario("baseline").stress


def test_a_latency_limit_implies_the_rate_n_over_limit(valid_level: LevelMetrics) -> None:
    """1000 in flight under 5 s needs 200/s, which is sharper than the 40/s beside it."""
    level = _at(valid_level, 1000)

    assert _row(level, "expected", "average latency").implied_rate_per_s == 200
    assert _row(level, "minimum", "average latency").implied_rate_per_s == 100
    assert _row(level, "expected", "throughput").implied_rate_per_s is None


@pytest.mark.parametrize(("rate", "verdict"), [(10.1, "met"), (10.0, "met"), (9.9, "missed")])
def test_throughput_must_reach_the_limit(
    valid_level: LevelMetrics, rate: float, verdict: str
) -> None:
    row = _row(_at(valid_level, 100, throughput_per_s=rate), "expected", "throughput")

    assert (row.value, row.limit, row.unit, row.higher_is_better) == (rate, 10, "/s", True)
    assert row.verdict == verdict


@pytest.mark.parametrize(
    ("ratio", "samples", "verdict"),
    [(0.03, 9000, "met"), (0.049, 9000, "unclear"), (0.07, 9000, "missed"), (0.03, 100, "unclear")],
)
def test_an_error_ratio_is_judged_by_its_interval_in_percent(
    valid_level: LevelMetrics, ratio: float, samples: int, verdict: str
) -> None:
    """Wilson's interval of 4.9 % in 9000 is 4.5 to 5.4 %, of 3 % in 100 it is 1.0 to 8.5 %."""
    times = replace(valid_level.service_times, samples=samples)
    level = _at(valid_level, 100, error_ratio=ratio, service_times=times)
    row = _row(level, "minimum", "error ratio")

    assert row.value == pytest.approx(100 * ratio)
    assert (row.limit, row.unit, row.higher_is_better) == (5, "%", False)
    assert row.verdict == verdict


def test_memory_is_the_peak_of_the_workers_in_megabytes(valid_level: LevelMetrics) -> None:
    resources = replace(valid_level.resources, workers_pss_peak_mb=700.0)
    level = _at(valid_level, 100, resources=resources)

    assert _row(level, "minimum", "memory").verdict == "met"
    assert _row(level, "goal", "memory").verdict == "missed"
    assert _row(valid_level, "goal", "memory").verdict == "no_data"


@pytest.mark.parametrize(
    "validity", ["incomplete", "not_steady", "too_few_samples", "generator_limited"]
)
def test_an_invalid_level_meets_and_misses_nothing(
    valid_level: LevelMetrics, validity: str
) -> None:
    rows = target_rows([_at(valid_level, 1000, validity=validity)])

    assert len(rows) == 11
    assert {row.verdict for row in rows} == {"no_data"}
    assert any(row.value is not None for row in rows), "the number is shown all the same"


@pytest.mark.parametrize(
    ("value_s", "beyond", "at_least", "verdict"),
    [
        (14.9, 10, False, "met"),
        (15.0, 10, False, "met"),
        (15.1, 10, False, "missed"),
        (14.9, 9, False, "no_data"),
        (15.1, 9, False, "no_data"),
        (14.9, 0, True, "no_data"),
        (15.0, 0, True, "no_data"),
        (15.1, 0, True, "missed"),
        (60.0, 0, True, "missed"),
    ],
)
def test_a_p99_is_judged_on_ten_samples_beyond_it_or_when_it_is_surely_over(
    valid_level: LevelMetrics, value_s: float, beyond: int, verdict: str, *, at_least: bool
) -> None:
    level = _with_p99(valid_level, value_s, beyond, at_least=at_least)

    row = _row(level, "goal", "P99 latency")

    assert (row.value, row.limit, row.verdict) == (value_s, 15, verdict)


def test_arms_are_not_compared_to_targets(valid_level: LevelMetrics) -> None:
    assert target_rows([_at(valid_level, 100, role="arm")]) == ()


def test_rows_are_ordered_by_table_then_by_level(valid_level: LevelMetrics) -> None:
    rows = target_rows([_at(valid_level, 100), _at(valid_level, 1000)])

    assert [r.table for r in rows] == sorted(
        (r.table for r in rows), key=("expected", "minimum", "goal").index
    )
    assert [r.level for r in rows if r.table == "expected"] == ["100", "100", "1000", "1000"]


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(9.0, 14.0, "unclear"), (10.1, 14.0, "met"), (5.0, 9.9, "met"), (9.0, None, "unclear")],
)
def test_a_throughput_whose_interval_holds_the_limit_is_neither_met_nor_missed(
    valid_level: LevelMetrics, low: float, high: float | None, verdict: str
) -> None:
    """12/s against more than 10/s; an interval that lies elsewhere decides nothing."""
    level = replace(
        valid_level,
        concurrency=100,
        throughput_per_s=12.0,
        throughput_low_per_s=low,
        throughput_high_per_s=high,
    )
    assert _row(level, "expected", "throughput").verdict == verdict
    moving = replace(level, validity="not_steady")
    assert _row(moving, "expected", "throughput").verdict == "no_data"


@pytest.mark.parametrize(("rate", "verdict"), [(12.0, "met"), (8.0, "unclear")])
def test_on_a_noisy_host_met_stands_and_missed_is_unclear(
    valid_level: LevelMetrics, rate: float, verdict: str
) -> None:
    """12 and 8/s against more than 10/s: a neighbour can only have slowed the target down."""
    level = _at(valid_level, 100, throughput_per_s=rate, validity="noisy_host")
    assert _row(level, "expected", "throughput").verdict == verdict
    drifts = replace(level, validity_if_quiet="incomplete")
    assert _row(drifts, "expected", "throughput").verdict == "no_data"


def test_a_table_gives_a_level_the_verdict_that_the_same_objective_of_a_scenario_gives(
    valid_level: LevelMetrics,
) -> None:
    """Targets are SLOs that are shipped: one judge, one verdict, the same value and limit."""
    level = _at(valid_level, 1000, error_ratio=0.019, throughput_per_s=60.0)
    for name, table in TARGET_TABLES.items():
        rows = [row for row in target_rows([level]) if row.table == name]
        verdicts = judge_slos(table.objectives(1000), level)
        assert [row.verdict for row in rows] == [one.verdict for one in verdicts]
        for row, one in zip(rows, verdicts, strict=True):
            scale = 100 if row.unit == "%" else 1
            assert row.limit == pytest.approx(scale * one.slo.limit)
            assert row.value == (None if one.value is None else pytest.approx(scale * one.value))
