"""The work, the runtime and its code nodes are told apart only where that is honest."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.report.run import cost
from tests.manifests import changed

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_the_parts_add_up_to_the_time_of_a_workflow_with_code_nodes(baseline: RunMetrics) -> None:
    """Two processes: 331.4/s with code nodes, 3120/s with lean ones, 8410/s without a runtime."""
    found = cost.cost_of(baseline)
    assert found.concurrency == 100
    assert [part.seconds for part in found.parts] == [
        pytest.approx(2 / 8410),
        pytest.approx(2 / 3120 - 2 / 8410),
        pytest.approx(2 / 331.4 - 2 / 3120),
    ]


def test_a_part_that_rests_on_an_invalid_arm_is_not_given(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    levels[4] = replace(levels[4], validity="noisy_host")
    work, runtime, nodes = cost.cost_of(replace(baseline, levels=tuple(levels))).parts
    assert (work.seconds, work.why_not) == (None, "control (arm) is noisy_host")
    assert (runtime.seconds, runtime.why_not) == (None, "control (arm) is noisy_host")
    assert nodes.seconds == pytest.approx(2 / 331.4 - 2 / 3120)


def test_arms_at_another_concurrency_are_not_compared(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    levels[3] = replace(levels[3], concurrency=50)
    parts = cost.cost_of(replace(baseline, levels=tuple(levels))).parts
    assert parts[0].seconds == pytest.approx(2 / 8410)
    why = "with lean nodes it ran at 50 in flight, not at 100: not comparable"
    assert [(part.seconds, part.why_not) for part in parts[1:]] == [(None, why)] * 2


def test_a_missing_arm_is_named(baseline: RunMetrics) -> None:
    parts = cost.cost_of(replace(baseline, levels=baseline.levels[:4])).parts
    assert (parts[0].seconds, parts[0].why_not) == (None, "nothing ran without a runtime")


def test_a_later_repeat_does_not_stand_for_the_first(baseline: RunMetrics) -> None:
    """The arms ran after the first repeat."""
    again = replace(baseline.levels[0], index=9, repeat=1, throughput_per_s=1.0)
    found = cost.cost_of(replace(baseline, levels=(again, *baseline.levels)))
    assert found.ways["code"] is baseline.levels[0]


def test_a_part_below_zero_is_called_noise(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    levels[3] = replace(levels[3], throughput_per_s=9000.0)
    metrics = replace(baseline, levels=tuple(levels))
    parts, _ = cost.cost_tables(metrics, cost.cost_of(metrics))
    assert parts.rows[1][1].note == "below zero: smaller than this run's noise"


def test_without_a_record_of_the_processes_the_workers_are_counted(baseline: RunMetrics) -> None:
    bare = replace(baseline, manifest=changed(baseline.manifest, processes=0))
    assert cost.cost_of(bare).parts[0].seconds == pytest.approx(2 / 8410)
    lost = tuple(replace(level, workers=()) for level in baseline.levels)
    why = cost.cost_of(replace(bare, levels=lost)).parts[0].why_not
    assert why == "how many worker processes control (arm) had was not recorded"


def test_nothing_measured_gives_no_part(empty: RunMetrics) -> None:
    found = cost.cost_of(empty)
    assert found.concurrency is None
    assert all(part.seconds is None and part.why_not for part in found.parts)
