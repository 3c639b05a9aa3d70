"""Whether a level settled is shown with what rules it out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.cli import summary
from perf_pipeline.metrics.types.steady_state import Drift, SteadyState
from perf_pipeline.report.level import level_view
from perf_pipeline.report.level.steady import (
    steady_facts,
    steady_since_s,
    steady_state_sentence,
    steady_state_summary,
    steady_tables,
)
from perf_pipeline.report.run import answers as verdict
from perf_pipeline.report.run import cost, headline
from perf_pipeline.report.text import labels

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_a_drift_is_shown_with_its_interval_and_since_when(baseline: RunMetrics) -> None:
    drifts = {"throughput": Drift(0.25, 0.1, 0.4), "median service time": Drift(0.01, -0.05, 0.07)}
    found = SteadyState(12.5, "not_steady", "the throughput rises by 25 %", drifts)
    level = replace(baseline.levels[0], steady_state=found)
    (fact,), (table,) = steady_facts(level), steady_tables(level)
    assert fact.cell.text == "not steady"
    assert fact.cell.note.split("; ") == [
        "since 12.5 s",
        "throughput 25.0 % [10.0 to 40.0 %]",
        "median service time 1.00 % [−5.00 to 7.00 %]",  # noqa: RUF001
        "the throughput rises by 25 %",
    ]
    assert table.basis == "since 12.5 s"
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["throughput", "25.0 %", "10.0 to 40.0 %", "drifts"],
        ["median service time", "1.00 %", "−5.00 to 7.00 %", "no drift found"],  # noqa: RUF001
    ]


def test_a_level_too_short_to_tell_is_not_called_steady(baseline: RunMetrics) -> None:
    found = SteadyState(None, "too_short", "4 values, 20 are needed")
    level = replace(baseline.levels[0], steady_state=found, throughput_interval_why="too short")
    (fact,), (table,) = steady_facts(level), steady_tables(level)
    assert (fact.cell.text, fact.cell.tone) == ("drift not tested", "quiet")
    assert table.rows[0][1].text == "too short"


def test_a_chart_marks_a_steady_state_only_where_one_was_found(baseline: RunMetrics) -> None:
    def level(verdict: str, starts_s: float | None) -> LevelMetrics:
        found = SteadyState(starts_s, verdict, "why")  # type: ignore[arg-type]
        return replace(baseline.levels[0], steady_state=found)

    assert steady_since_s(level("steady", 12.5)) == 12.5
    assert steady_since_s(level("undecided", 12.5)) == 12.5
    assert steady_since_s(level("too_short", 12.5)) is None
    assert steady_state_sentence(level("too_short", 12.5), "throughput") == ""
    assert (
        steady_state_sentence(level("not_steady", None), "throughput")
        == "No steady state was found."
    )


def test_in_a_line_a_steady_state_as_planned_is_not_worth_a_word(baseline: RunMetrics) -> None:
    level = baseline.levels[0]
    assert steady_state_summary(replace(level, steady_state=SteadyState(1.0, "steady"))) == ""
    late = replace(level, steady_state=SteadyState(9.0, "steady", "the warm-up went on"))
    assert steady_state_summary(late) == "steady: the warm-up went on"


def test_a_steady_state_that_was_not_looked_for_is_not_shown(baseline: RunMetrics) -> None:
    assert steady_facts(baseline.levels[0]) == ()
    assert steady_tables(baseline.levels[0]) == ()


def test_a_valid_level_too_short_to_test_says_so_beside_the_verdict_and_why_once(
    baseline: RunMetrics,
) -> None:
    """Beside a validity that speaks against the level, nothing is added."""
    found = SteadyState(1.0, "too_short", "a steady phase of 5 s is too short (--duration 10)")
    level = replace(baseline.levels[0], steady_state=found)
    assert labels.validity_of(level).text == "valid, drift not tested"
    assert summary.steady_state_sentence(level) == (
        "100 (valid, drift not tested): a steady phase of 5 s is too short (--duration 10)"
    )
    assert labels.validity_of(replace(level, validity="not_steady")).text == "not_steady"
    steady = replace(level, steady_state=SteadyState(1.0, "steady"))
    assert labels.validity_of(steady).text == "valid"

    run = replace(baseline, validity="valid", levels=(level,))
    measurement = verdict.verdicts(run, cost.cost_of(run))[0]
    assert measurement.answer.text == "valid, drift not tested"
    assert f"Drift was not tested at 100: {found.why}." in measurement.sentences
    assert headline.headline_table(run)[0].validity == "valid, drift not tested"
    assert level_view.level_view(level).validity.text == "valid, drift not tested"
