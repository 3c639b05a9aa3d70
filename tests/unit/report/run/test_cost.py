"""The work, the runtime and its code nodes are separated only where the levels allow it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.types.cpu_use import CpuPerWorkflow
from perf_pipeline.report.run import cost
from tests.manifests import changed

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_the_parts_add_up_to_the_time_of_a_workflow_with_code_nodes(baseline: RunMetrics) -> None:
    """1.924 cores and two processes: 331.4/s code nodes, 3120/s lean ones, 8410/s no runtime."""
    found = cost.cost_of(baseline)
    assert found.concurrency == 100
    for cores, value in (
        (1.924, lambda part: part.cpu_s),
        (2, lambda part: part.process_s),
    ):
        assert [value(part) for part in found.parts] == [
            pytest.approx(cores / 8410),
            pytest.approx(cores / 3120 - cores / 8410),
            pytest.approx(cores / 331.4 - cores / 3120),
        ]


def test_a_parts_interval_is_that_of_the_difference_of_two_levels(baseline: RunMetrics) -> None:
    """Half lengths of 0.024 / rate each add up as the sides of a right triangle."""
    runtime = cost.cost_of(baseline).parts[1]
    assert runtime.cpu_s is not None
    assert runtime.high_s is not None
    assert runtime.high_s - runtime.cpu_s == pytest.approx(math.hypot(0.024 / 3120, 0.024 / 8410))


def test_beside_a_neighbour_alone_the_parts_are_given_and_the_clock_is_shown_as_affected(
    baseline: RunMetrics,
) -> None:
    levels = tuple(replace(level, validity="noisy_host") for level in baseline.levels)
    metrics = replace(baseline, levels=levels)
    found = cost.cost_of(metrics)
    assert [part.cpu_s for part in found.parts] == [
        part.cpu_s for part in cost.cost_of(baseline).parts
    ]
    parts, ways = cost.cost_tables(metrics, found)
    assert {row[3].note for row in parts.rows} == {"affected by other programs"}
    assert ways.note.startswith(cost.AFFECTED)


def test_a_part_that_rests_on_an_invalid_arm_is_not_given(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    levels[4] = replace(levels[4], validity="not_steady")
    work, runtime, nodes = cost.cost_of(replace(baseline, levels=tuple(levels))).parts
    assert (work.cpu_s, work.why_not) == (None, "control (arm) is not_steady")
    assert (runtime.cpu_s, runtime.why_not) == (None, "control (arm) is not_steady")
    assert nodes.cpu_s == pytest.approx(1.924 / 331.4 - 1.924 / 3120)


def test_arms_at_another_concurrency_are_not_compared(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    levels[3] = replace(levels[3], concurrency=50)
    parts = cost.cost_of(replace(baseline, levels=tuple(levels))).parts
    assert parts[0].cpu_s == pytest.approx(1.924 / 8410)
    why = "with lean nodes it ran at 50 in flight, not at 100: not comparable"
    assert [(part.cpu_s, part.why_not) for part in parts[1:]] == [(None, why)] * 2


def test_a_missing_arm_is_named(baseline: RunMetrics) -> None:
    parts = cost.cost_of(replace(baseline, levels=baseline.levels[:4])).parts
    assert (parts[0].cpu_s, parts[0].why_not) == (None, "nothing ran without a runtime")


def test_a_later_repeat_does_not_replace_the_first(baseline: RunMetrics) -> None:
    """The arms ran after the first repeat."""
    again = replace(baseline.levels[0], index=9, repeat=1, throughput_per_s=1.0)
    found = cost.cost_of(replace(baseline, levels=(again, *baseline.levels)))
    assert found.ways["code"] is baseline.levels[0]


def test_a_part_below_zero_is_called_noise(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    cheap = CpuPerWorkflow(1e-4, None, None, 90_000, 9.0)
    levels[3] = replace(levels[3], cpu_per_workflow=cheap)
    metrics = replace(baseline, levels=tuple(levels))
    parts, _ = cost.cost_tables(metrics, cost.cost_of(metrics))
    assert parts.rows[1][1].note == "below zero: smaller than this run's noise"


def test_without_a_record_of_the_processes_the_workers_are_counted(baseline: RunMetrics) -> None:
    bare = replace(baseline, manifest=changed(baseline.manifest, processes=0))
    assert cost.cost_of(bare).parts[0].process_s == pytest.approx(2 / 8410)
    lost = replace(baseline.levels[4], workers=())
    why = cost.process_seconds(bare, lost)
    assert why == "how many worker processes control (arm) had was not recorded"
    assert cost.cost_of(replace(bare, levels=(lost,))).parts[0].process_s is None


def test_a_level_whose_cpu_was_not_counted_gives_no_part_and_says_why(
    baseline: RunMetrics,
) -> None:
    unread = CpuPerWorkflow(None, None, None, 0, None, "no two samples have it")
    levels = list(baseline.levels)
    levels[4] = replace(levels[4], cpu_per_workflow=unread)
    work = cost.cost_of(replace(baseline, levels=tuple(levels))).parts[0]
    assert work.cpu_s is None
    assert work.why_not == "CPU time of control (arm) was not measured: no two samples have it"


def test_nothing_measured_gives_no_part(empty: RunMetrics) -> None:
    found = cost.cost_of(empty)
    assert found.concurrency is None
    assert all(part.cpu_s is None and part.why_not for part in found.parts)
