"""``PerformanceMetrics``: the names, units and omissions that users of the old framework know."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.metrics.types.open_load import Lag, OpenLoad
from perf_pipeline.metrics.types.server_use import ConnectionUse
from perf_pipeline.metrics.types.service_times import Percentile
from tests.old_names import PERFORMANCE_METRICS

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics


def test_every_field_of_the_old_framework_is_there_and_no_none_is_without_its_reason(
    valid_level: LevelMetrics,
) -> None:
    metrics = performance_metrics(valid_level, "run", "baseline").to_dict()

    assert [name for name in PERFORMANCE_METRICS if name not in metrics] == []
    assert {"validity", "samples", "run_id"} <= set(metrics)
    nones = {name for name, value in metrics.items() if value is None}
    assert nones == set(metrics["not_measured"])
    assert all(reason.strip() for reason in metrics["not_measured"].values())
    assert json.loads(json.dumps(metrics, allow_nan=False))["run_id"] == "run"


def test_units_are_seconds_percent_and_megabytes(valid_level: LevelMetrics) -> None:
    """1000/s for 8 s, 10 ms each, 2 % not ok."""
    level = replace(
        valid_level,
        error_ratio=0.02,
        resources=replace(
            valid_level.resources,
            workers_pss_peak_mb=123.4,
            workers_cpu_mean_percent=150.0,
            workers_cpu_peak_percent=190.0,
            disk_read_mb=1.5,
            disk_write_mb=2.5,
        ),
    )

    metrics = performance_metrics(level, "run", "baseline")

    assert metrics.execution_time == pytest.approx(8)
    assert metrics.throughput == pytest.approx(1000, rel=0.01)
    assert metrics.avg_latency == pytest.approx(0.01, rel=0.01)
    assert metrics.p50_latency == pytest.approx(0.01)
    assert metrics.error_rate == pytest.approx(2)
    assert (metrics.peak_memory_mb, metrics.avg_cpu_percent) == (123.4, 150)
    assert (metrics.peak_cpu_percent, metrics.disk_io_read_mb) == (190, 1.5)
    assert metrics.disk_io_write_mb == 2.5
    assert metrics.total_workflows == metrics.samples == metrics.successful_workflows
    assert metrics.failed_workflows == 0
    assert metrics.in_flight_median == 10
    assert "there was no server" in metrics.not_measured["network_io_sent_mb"]


def test_errors_are_counted_by_class_over_the_steady_phase(valid_level: LevelMetrics) -> None:
    """Timeouts are those of the deadline and those that a driver reported."""
    classes = {"timeout": 3, "connection": 4, "resource_exhaustion": 5, "wrong_result": 6}
    outcomes = {"ok": 100, "error": 18, "timeout": 7, "dropped": 0, "abandoned": 0}
    level = replace(
        valid_level,
        steady_error_classes=classes,
        steady_outcomes=outcomes,
        service_times=replace(valid_level.service_times, samples=125),
    )

    metrics = performance_metrics(level, "run", "baseline")

    assert (metrics.total_workflows, metrics.successful_workflows) == (125, 100)
    assert metrics.failed_workflows == 25
    assert metrics.timeout_errors == 10
    assert (metrics.connection_errors, metrics.resource_exhaustion_errors) == (4, 5)
    assert metrics.database_errors == 12


def test_connections_are_those_to_postgresql(valid_level: LevelMetrics) -> None:
    uses = (
        ConnectionUse("redis", 50, 9, 9.0, "pool", 0),
        ConnectionUse("postgres", 50, 40, 30.5, "pool", 0, utilisation_percent=80.0),
    )
    metrics = performance_metrics(replace(valid_level, connections=uses), "run", "baseline")
    assert (metrics.active_connections, metrics.peak_connections) == (30.5, 40)
    assert metrics.connection_pool_utilization == pytest.approx(80)

    unasked = (ConnectionUse("postgres", 50, None, None, "pool", 12),)
    metrics = performance_metrics(replace(valid_level, connections=unasked), "run", "baseline")
    for name in ("active_connections", "peak_connections", "connection_pool_utilization"):
        assert getattr(metrics, name) is None
        assert metrics.not_measured[name] == "PostgreSQL could not be asked"

    metrics = performance_metrics(valid_level, "run", "baseline")
    assert metrics.not_measured["peak_connections"] == "the workloads use no PostgreSQL"


def test_a_level_without_a_steady_phase_has_reasons_instead_of_zeros(
    valid_level: LevelMetrics,
) -> None:
    times = replace(valid_level.service_times, samples=0, avg_s=None, min_s=None, max_s=None)
    level = replace(
        valid_level,
        phases={"ramp_up": (0.0, 1.0)},
        throughput_per_s=None,
        error_ratio=None,
        service_times=times,
        in_flight=replace(valid_level.in_flight, median=None),
        steady_outcomes=dict.fromkeys(valid_level.steady_outcomes, 0),
    )

    metrics = performance_metrics(level, "run", "baseline")

    for name in ("execution_time", "throughput", "avg_latency", "error_rate", "in_flight_median"):
        assert getattr(metrics, name) is None
        assert metrics.not_measured[name] == "the level did not reach its steady phase"


def test_a_latency_that_is_only_a_lower_bound_is_named(valid_level: LevelMetrics) -> None:
    times = valid_level.service_times
    percentiles = tuple(replace(p, at_least=p.p > 0.5) for p in times.percentiles)
    level = replace(valid_level, service_times=replace(times, percentiles=percentiles))

    metrics = performance_metrics(level, "run", "baseline")

    assert metrics.latency_at_least == (
        *("p90_latency", "p95_latency", "p99_latency", "p99_9_latency"),
    )


def test_intervals_and_what_a_percentile_would_take_stand_beside_the_old_names(
    valid_level: LevelMetrics,
) -> None:
    p50 = Percentile(0.5, 1.0, at_least=False, samples_beyond=50, low_s=0.9, high_s=1.1)
    p90 = Percentile(0.9, 2.0, at_least=True, samples_beyond=10, low_s=1.5)
    p99 = Percentile(0.99, 3.0, at_least=False, samples_beyond=1, samples_needed=1000)
    level = replace(
        valid_level,
        throughput_low_per_s=90.0,
        throughput_high_per_s=110.0,
        service_times=replace(valid_level.service_times, percentiles=(p50, p90, p99)),
    )

    metrics = performance_metrics(level, "run", "baseline")

    assert metrics.intervals == {
        "throughput": (90.0, 110.0),
        "p50_latency": (0.9, 1.1),
        "p90_latency": (1.5, None),
    }
    assert metrics.samples_needed == {"p99_latency": 1000}
    assert metrics.open_loop == {}


def test_an_open_level_has_its_rates_and_both_kinds_of_time(valid_level: LevelMetrics) -> None:
    load = OpenLoad(
        *("20/s (constant)", "constant", 8, 5.0, 200, 20.0, 15.0, 4, 196, 0),
        *(Lag(196, 0.001, 0.2, 0.3), Lag(196, 0.001, 0.002, 0.003), "", ()),
    )
    waited = replace(valid_level.service_times, avg_s=9.0)
    outcomes = {**valid_level.outcomes, "dropped": 4}
    level = replace(
        valid_level, loop="open", open_load=load, response_times=waited, outcomes=outcomes
    )

    metrics = performance_metrics(level, "run", "open")

    assert metrics.avg_latency == 9.0
    assert metrics.latency_is == "response time (open loop)"
    assert metrics.open_loop["service_time_s"]["avg"] == valid_level.service_times.avg_s
    assert (metrics.open_loop["offered_per_s"], metrics.open_loop["left_per_s"]) == (20, 15)
    assert (metrics.open_loop["queue_grew"], metrics.open_loop["dropped"]) == (True, 4)
    assert metrics.open_loop["start_lag_p99_s"] == 0.2
    assert metrics.open_loop["start_lag_of_generator_p99_s"] == 0.002
