"""Whether connections were exhausted, and whether the target has recovered afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.compat.recovery import judge_recovery, recovery_sentences
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.metrics.types.server_use import ConnectionUse

if TYPE_CHECKING:
    from perf_pipeline.metrics.performance import PerformanceMetrics
    from perf_pipeline.metrics.types.level import LevelMetrics


@pytest.fixture
def light(valid_level: LevelMetrics) -> PerformanceMetrics:
    found = performance_metrics(valid_level, "20241201_120000-4f2c", "database")
    return replace(found, samples=20_000)


def slower(metrics: PerformanceMetrics, times: float) -> PerformanceMetrics:
    assert metrics.throughput is not None
    assert metrics.avg_latency is not None
    return replace(
        metrics, throughput=metrics.throughput / times, avg_latency=metrics.avg_latency * times
    )


@pytest.mark.parametrize(
    ("times", "verdict", "means"),
    [
        (1.02, "no_change", "it has recovered"),
        (2.0, "regression", "it has not recovered"),
        (1.15, "unstable", "is unclear"),
    ],
)
def test_a_load_that_is_as_fast_as_before_the_exhaustion_has_recovered(
    light: PerformanceMetrics, times: float, verdict: str, means: str
) -> None:
    finding = judge_recovery({"light_load": light, "recovery": slower(light, times)})
    assert finding is not None
    assert finding["verdict"] == verdict
    first, *_ = recovery_sentences({}, finding)
    assert first.startswith(f"recovery against light_load: {verdict}, ")
    assert means in first


def test_a_recovery_that_was_not_measured_is_unknown(light: PerformanceMetrics) -> None:
    finding = judge_recovery(
        {"light_load": light, "recovery": replace(light, validity="noisy_host")}
    )
    first, *_ = recovery_sentences({}, finding)
    assert "no_data, whether it has recovered is unknown" in first
    assert judge_recovery({"light_load": light}) is None


@pytest.mark.parametrize(
    ("peak", "said"),
    [
        (50, "postgres: 50 of 50 connections at most, exhausted"),
        (17, "postgres: 17 of 50 connections at most, not exhausted"),
        (None, "postgres: an unknown number of 50 connections at most, not exhausted"),
    ],
)
def test_a_pool_is_exhausted_when_all_of_its_connections_were_open(
    peak: int | None, said: str
) -> None:
    use = ConnectionUse("postgres", 50, peak, None, "", 0)
    (sentence,) = recovery_sentences({"connection_exhaustion": (use,)}, None)
    assert sentence == f"connection_exhaustion: {said}"
