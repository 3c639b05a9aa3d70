"""Steps and counts as tables of a report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.service_times import Percentile, ServiceTimes
from perf_pipeline.metrics.types.steps import (
    CountMetrics,
    CountPercentile,
    OutsideStep,
    StepMetrics,
    Steps,
)
from perf_pipeline.report.level.steps import step_tables

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

TIMES = ServiceTimes(
    50, 0, 0.02, 0.01, 0.4,
    (Percentile(0.5, 0.02, at_least=False, samples_beyond=25),
     Percentile(0.9, 0.03, at_least=False, samples_beyond=5, samples_needed=100),
     Percentile(0.99, 0.4, at_least=False, samples_beyond=0, samples_needed=1000)),
)  # fmt: skip
STEPS = Steps(
    (StepMetrics("pay", "shop:order", "", TIMES, 3, 1.0, 0.25, 2, 0.5),),
    (CountMetrics("rows", "shop:order", "", 5, 12, None, 2.4, (CountPercentile(0.5, 2, 9, 20),)),),
    (OutsideStep("connect", 2, 0, 0.5, 0.6, None),),
    sampled_every=20,
    workflows=50,
    unnamed=7,
)


def test_steps_counts_and_what_is_outside_have_a_table_each(baseline: RunMetrics) -> None:
    level = replace(baseline.levels[0], steps=STEPS)
    steps, counts, outside = step_tables(level)
    row = dict(zip(steps.columns, (cell.text for cell in steps.rows[0]), strict=True))
    assert row["Share of time"] == "25.0 %"
    assert row["Failed"] == "3"
    assert steps.rows[0][-1].note == "500 ms on average"
    assert "weak" in steps.rows[0][7].note
    assert steps.basis == "sampled: 50 workflows, every 20th of each kind"
    assert "Not recorded: 7 steps" in steps.note
    assert "sampled" in counts.rows[0][4].note
    assert "20 workflows needed" in counts.rows[0][6].note
    assert [cell.text for cell in outside.rows[0]][:2] == ["connect", "2"]
    assert all(len(table.columns) == len(table.rows[0]) for table in (steps, counts, outside))


def test_only_lost_steps_are_shown_as_well_and_none_are_not(baseline: RunMetrics) -> None:
    nothing = Steps((), (), unnamed=5)
    (table,) = step_tables(replace(baseline.levels[0], steps=nothing))
    assert "Not recorded: 5" in table.note
    assert step_tables(replace(baseline.levels[0], steps=None)) == ()
