"""The same failure several times: the median, the worst, and how often it came back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.fault.recovery import Estimate
from perf_pipeline.report.recovery.repeats import repeated_recovery
from tests.planted_recovery import fault, metastable, not_possible, recovery

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import LevelRecovery
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def repeated(metrics: RunMetrics, *found: LevelRecovery) -> RunMetrics:
    """Return a run with a repeat of its first level for each."""
    levels = [
        replace(metrics.levels[0], index=at, repeat=at, recovery=one)
        for at, one in enumerate(found)
    ]
    return replace(metrics, levels=tuple(levels))


def test_a_failure_that_was_played_once_has_no_row(baseline: RunMetrics) -> None:
    assert repeated_recovery(repeated(baseline, recovery(fault()))).rows == ()


def test_a_row_has_the_median_and_both_ends(baseline: RunMetrics) -> None:
    """1, 2 and 6 s, and one that never came back."""
    took = [fault(time_to_recover_s=Estimate(at, at, at)) for at in (1.0, 6.0, 2.0)]
    run = repeated(baseline, *map(recovery, (*took, metastable())))
    (row,) = repeated_recovery(run).rows
    assert [cell.text for cell in row] == [
        *("database_timeout on PostgreSQL", "100", "4", "3 of 4", "2.00 s", "4.31 s"),
    ]
    assert row[3].note == "never 1"
    run = repeated(baseline, *map(recovery, (not_possible(), not_possible())))
    assert repeated_recovery(run).rows[0][3].note == "not possible here 2"
    assert row[4].note == "1.00 to 6.00 s"


def test_controls_are_a_row_of_their_own(baseline: RunMetrics) -> None:
    control = recovery(fault(), is_control=True)
    run = repeated(baseline, recovery(fault()), control, recovery(fault()), control)
    assert [row[0].text for row in repeated_recovery(run).rows] == [
        "database_timeout on PostgreSQL",
        "no failure",
    ]
