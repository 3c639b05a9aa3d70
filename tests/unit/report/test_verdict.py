"""The two questions of the reader are answered first, in words of the closed lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.bottleneck.verdict import Bottleneck
from perf_pipeline.report import words
from perf_pipeline.report.verdict import verdicts

if TYPE_CHECKING:
    from perf_pipeline.metrics.run_metrics import RunMetrics


def test_a_run_with_one_level_not_steady_says_which_and_why(baseline: RunMetrics) -> None:
    measurement = verdicts(baseline)[0]
    assert measurement.answer.text == "not_steady"
    assert "4 of 5 levels and arms are valid." in measurement.sentences
    assert "1000: 2.1 turnovers in 150 s, 3 are needed" in measurement.sentences


def test_a_killed_run_without_levels_says_both(empty: RunMetrics) -> None:
    sentences = verdicts(empty)[0].sentences
    assert sentences[1] == f"The run's own record says killed: {words.STATUS['killed']}"
    assert sentences[2] == "No level was measured."


def test_targets_met_in_part_and_unknown_in_part_are_not_called_met(baseline: RunMetrics) -> None:
    expected = verdicts(baseline)[1]
    assert expected.answer.text == "met as far as measured"
    assert expected.sentences == (
        "4 of 6 met.",
        "No data: throughput, average latency at 1000 (not_steady).",
    )


def test_one_missed_target_misses_the_table(baseline: RunMetrics) -> None:
    rows = tuple(
        replace(row, verdict="missed") if (row.level, row.what) == ("500", "memory") else row
        for row in baseline.targets
    )
    by_table = {one.question: one for one in verdicts(replace(baseline, targets=rows))}
    assert by_table["Targets: expected"].answer.text == "met as far as measured"
    assert by_table["Targets: goal"].answer.text == "missed"
    assert "Missed: memory at 500." in by_table["Targets: goal"].sentences


def test_all_targets_met_is_met(baseline: RunMetrics) -> None:
    rows = tuple(replace(row, verdict="met") for row in baseline.targets)
    answers = [one.answer.text for one in verdicts(replace(baseline, targets=rows))[1:]]
    assert answers == ["met"] * 3


def test_what_limited_the_greatest_level_is_said_and_only_a_hint_where_it_is_no_measurement(
    baseline: RunMetrics,
) -> None:
    """The level at 1000 of this run is not steady; an arm is never asked."""
    found = Bottleneck("interpreter_lock", "Each worker used 1.0 cores.", ())
    levels = tuple(replace(level, bottleneck=found) for level in baseline.levels)
    last = verdicts(replace(baseline, levels=levels))[-1]

    assert (last.question, last.answer.text) == ("What limited it?", "interpreter lock")
    assert last.sentences == (
        "At 1000 in flight: Each worker used 1.0 cores.",
        "That level is not_steady, so this is a hint.",
    )
    assert all(one.question != "What limited it?" for one in verdicts(baseline))
