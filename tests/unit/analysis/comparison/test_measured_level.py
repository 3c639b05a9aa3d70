"""What a level says about each metric depends on its validity."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.comparison.measured_level import measured_level, observations_of
from perf_pipeline.metrics.types.cpu_use import CpuPerWorkflow
from perf_pipeline.metrics.types.noise import Noise, NoiseFigure

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics

THROUGHPUT, CPU = ("throughput_per_s", ""), ("cpu_per_workflow_s", "")
ERRORS, AVERAGE = ("error_ratio", ""), ("avg_s", "")


@pytest.fixture
def level(valid_level: LevelMetrics) -> LevelMetrics:
    cpu = CpuPerWorkflow(0.02, 0.019, 0.021, 8000, 160.0)
    return replace(
        valid_level, cpu_per_workflow=cpu, throughput_low_per_s=980.0, throughput_high_per_s=1020.0
    )


def test_a_valid_level_says_everything_with_the_spread_within_it(level: LevelMetrics) -> None:
    found = observations_of(level)

    assert found[THROUGHPUT].value == pytest.approx(1000, rel=0.01)
    assert found[THROUGHPUT].spread == pytest.approx(0.0102, abs=0.0001)
    assert found[AVERAGE].spread == found[THROUGHPUT].spread
    assert found[CPU].spread == pytest.approx(0.0255, abs=0.0001)
    assert (found[ERRORS].value, found[ERRORS].samples) == (0.0, level.service_times.samples)
    assert {family for _, family in found} == {""}  # one kind of workflow is all of them


def test_beside_a_neighbour_cpu_time_memory_and_errors_stand(level: LevelMetrics) -> None:
    noisy = replace(level, validity="noisy_host", reasons=("something else used the machine",))
    found = observations_of(noisy)

    assert found[THROUGHPUT].value is None
    assert "noisy_host (something else used the machine)" in found[THROUGHPUT].why_not
    assert found[CPU].value == 0.02
    assert found[ERRORS].value == 0.0


def test_a_level_too_short_to_see_neighbours_is_in_doubt_once_something_points_to_one(
    level: LevelMetrics,
) -> None:
    """A calculation beside it got no core for 40 % of its time: what needs no core is sure."""
    others = NoiseFigure("cores that other programs used", None, "%", 3.0, None, "1.0 s is short")
    noise = Noise("unknown", (), True, (others,), ("a calculation got no core: 40 %",))
    found = observations_of(replace(level, noise=noise))

    assert found[THROUGHPUT].value == pytest.approx(1000, rel=0.01)
    doubt = "a calculation got no core: 40 %; cores that other programs used: 1.0 s is short"
    assert found[THROUGHPUT].doubt == found[AVERAGE].doubt == doubt
    assert found[CPU].doubt == found[ERRORS].doubt == ""
    for sure in (replace(noise, warnings=()), replace(noise, verdict="quiet")):
        assert observations_of(replace(level, noise=sure))[THROUGHPUT].doubt == ""


def test_noise_that_is_told_and_not_judged_stays_with_the_level(level: LevelMetrics) -> None:
    noise = Noise("noisy", ("others used 57 % of the cores",), False, ())
    assert measured_level("r", replace(level, noise=noise)).neighbours == noise.causes[0]
    judged = replace(noise, judged=True)
    assert measured_level("r", replace(level, noise=judged)).neighbours == ""


def test_of_a_failed_target_only_the_errors_count(level: LevelMetrics) -> None:
    failed = observations_of(replace(level, validity="target_failed", error_ratio=0.7))
    silent = observations_of(replace(level, validity="target_failed", error_ratio=None))

    assert failed[THROUGHPUT].value is failed[CPU].value is None
    assert failed[ERRORS].value == 0.7
    assert silent[ERRORS].value == 1.0


def test_a_level_that_is_not_steady_says_nothing(level: LevelMetrics) -> None:
    found = observations_of(replace(level, validity="not_steady"))
    assert {one.value for one in found.values()} == {None}
