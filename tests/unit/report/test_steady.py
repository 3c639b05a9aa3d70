"""Whether a level settled is told with what rules it out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.steady_state import SteadyState
from perf_pipeline.metrics.warm_up import Drift
from perf_pipeline.report.steady import steady_facts, steady_tables

if TYPE_CHECKING:
    from perf_pipeline.metrics.run_metrics import RunMetrics


def test_a_drift_is_shown_with_its_interval_and_since_when(baseline: RunMetrics) -> None:
    drifts = {"throughput": Drift(0.25, 0.1, 0.4), "median service time": Drift(0.01, -0.05, 0.07)}
    found = SteadyState(12.5, "not_steady", "the throughput rises by 25 %", drifts)
    level = replace(baseline.levels[0], steady_state=found)
    (fact,), (table,) = steady_facts(level), steady_tables(level)
    assert (fact.cell.text, fact.cell.note) == ("not steady", "the throughput rises by 25 %")
    assert table.basis == "since 12.5 s"
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["throughput", "25.0 %", "10.0 to 40.0 %", "drifts"],
        ["median service time", "1.00 %", "−5.00 to 7.00 %", "no drift found"],  # noqa: RUF001
    ]


def test_a_level_too_short_to_tell_is_not_called_steady(baseline: RunMetrics) -> None:
    found = SteadyState(None, "too_short", "4 values, 20 are needed")
    level = replace(baseline.levels[0], steady_state=found, throughput_interval_why="too short")
    (fact,), (table,) = steady_facts(level), steady_tables(level)
    assert (fact.cell.text, fact.cell.tone) == ("too short to tell", "quiet")
    assert table.rows[0][1].text == "too short"


def test_what_nothing_looked_for_is_not_shown(baseline: RunMetrics) -> None:
    assert steady_facts(baseline.levels[0]) == ()
    assert steady_tables(baseline.levels[0]) == ()
