"""One level as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.level.level_view import level_view

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.text.table import Table


def _table(level: LevelMetrics, title: str) -> Table:
    return next(table for table in level_view(level).tables if table.title.startswith(title))


def _texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_every_table_of_a_level_carries_its_validity(baseline: RunMetrics) -> None:
    tables = level_view(baseline.levels[2]).tables
    assert [table.validity for table in tables] == ["not_steady"] * len(tables)


def test_every_row_has_a_cell_for_every_column(baseline: RunMetrics, ugly: RunMetrics) -> None:
    for level in (*baseline.levels, *ugly.levels):
        for table in level_view(level).tables:
            assert {len(row) for row in table.rows} == {len(table.columns)}


def test_scheduled_is_the_sum_of_the_outcomes(baseline: RunMetrics) -> None:
    outcomes = {"ok": 90, "error": 4, "timeout": 3, "dropped": 2, "abandoned": 1}
    level = replace(baseline.levels[0], outcomes=outcomes)
    row = _texts(_table(level, "Outcomes"))[0]
    assert row == ["scheduled, whole level", "100", "90", "4", "3", "2", "1"]


def test_an_invalid_level_explains_its_validity_before_its_reasons(
    baseline: RunMetrics,
) -> None:
    reasons = level_view(baseline.levels[2]).reasons
    assert reasons[0].startswith("No steady state was reached")
    assert reasons[1:] == baseline.levels[2].reasons
    assert level_view(baseline.levels[0]).reasons == ()


def test_families_are_listed_below_the_total(baseline: RunMetrics) -> None:
    rows = _texts(_table(baseline.levels[0], "Service time"))
    assert [row[0] for row in rows] == ["all", "transformation medium", "analytics complex"]


def test_threads_that_ended_no_workflow_are_counted(baseline: RunMetrics) -> None:
    rows = dict(_texts(_table(baseline.levels[1], "In flight")))
    assert rows["threads that ended no workflow"] == "12 (2.40 %)"


def test_cold_starts_are_summed_up_by_kind(baseline: RunMetrics) -> None:
    level = baseline.levels[0]
    starts = tuple(
        replace(level.cold_starts[0], worker=worker, service_time_s=time_s, outcome=outcome)
        for worker, time_s, outcome in ((0, 1.0, "ok"), (1, 2.0, "error"), (2, 9.0, "ok"))
    )
    rows = _texts(_table(replace(level, cold_starts=starts), "Cold"))
    assert rows == [["transformation medium", "3", "1.00 s", "2.00 s", "9.00 s", "1"]]


def test_a_level_without_any_value_shows_no_number(ugly: RunMetrics) -> None:
    bare = replace(ugly.levels[1], bottleneck=None, noise=None, open_load=None, steady_state=None)
    facts = level_view(bare).facts
    shown = {fact.term: fact.cell.text for fact in facts}
    assert shown.pop("Samples of response times") == "0"
    assert set(shown.values()) == {"not measured"}
