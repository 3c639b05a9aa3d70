"""Every limit stands beside its value, its verdict and the validity of its level."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.kpi import kpi_grades
from perf_pipeline.analysis.targets import target_rows
from perf_pipeline.report.run import answers, cost, targets

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


EXPECTED_RATE = ("expected", "throughput")


def _row(metrics: RunMetrics, level: str, what: str) -> list[str]:
    table = targets.target_table(metrics)
    found = [row for row in table.rows if (row[0].text, row[3].text) == (level, what)]
    assert len(found) == 1
    return [f"{cell.text} {cell.note}".strip() for cell in found[0]]


def test_a_latency_limit_shows_the_rate_that_it_implies(baseline: RunMetrics) -> None:
    assert _row(baseline, "500", "average latency") == [
        *("500", "valid", "5,762", "average latency", "1.74 s"),
        *("met < 2 s, implies > 250/s", "met < 5 s, implies > 100/s", ""),
    ]


def test_a_level_that_is_no_measurement_keeps_its_value_and_gets_no_verdict(
    baseline: RunMetrics,
) -> None:
    assert _row(baseline, "1000", "throughput") == [
        *("1000", "not_steady", "21,420", "throughput", "143/s"),
        *("> 40/s", "> 25/s", "> 50/s"),
    ]
    assert targets.target_table(baseline).note.endswith("these are not valid: 1000 (not_steady).")


def test_a_p99_that_is_a_lower_bound_is_shown_as_one(baseline: RunMetrics) -> None:
    assert _row(baseline, "1000", "P99 latency")[4] == "≥ 31.6 s"
    grades = targets.kpi_table(baseline)
    p99 = grades.columns.index("P99 latency")
    assert grades.rows[2][p99].text == "poor"
    assert "≥ 31.6 s" in grades.rows[2][p99].note


def test_a_value_whose_interval_holds_the_limit_is_unclear_and_shows_it(
    baseline: RunMetrics,
) -> None:
    wide = replace(baseline.levels[0], throughput_low_per_s=4.0, throughput_high_per_s=400.0)
    metrics = replace(baseline, levels=(wide,), targets=target_rows([wide]))
    row = _row(metrics, "100", "throughput")
    assert row[4] == "331/s [4.00 to 400/s]"
    assert row[5:7] == ["unclear > 10/s", "unclear > 5/s"]


def test_a_memory_that_was_not_sampled_says_why(baseline: RunMetrics) -> None:
    first = baseline.levels[0]
    bare = replace(
        first,
        resources=replace(first.resources, workers_pss_peak_mb=None),
        not_measured={"peak_memory_mb": "smaps_rollup cannot be read"},
    )
    metrics = replace(baseline, levels=(bare,), targets=target_rows([bare]))
    assert _row(metrics, "100", "memory")[4] == "not measured smaps_rollup cannot be read"


def test_the_rows_of_a_repeat_have_the_validity_of_that_repeat(
    baseline: RunMetrics,
) -> None:
    """Both repeats have the label 100; only the second was disturbed."""
    first = baseline.levels[0]
    levels = (first, replace(first, index=1, repeat=1, validity="not_steady"))
    rows, grades = target_rows(levels), kpi_grades(levels)
    metrics = replace(baseline, levels=levels, targets=rows, kpis=grades)
    assert _row(metrics, "100", "throughput")[1] == "valid"
    assert _row(metrics, "100, repeat 2", "throughput")[1] == "not_steady"
    shown = [[cell.text for cell in row[:4]] for row in targets.kpi_table(metrics).rows]
    assert shown == [
        ["100", "valid", "6,628", "good"],
        ["100, repeat 2", "not_steady", "6,628", "331/s"],
    ]
    assert targets.kpi_table(metrics).note.endswith(
        "these are not valid: 100, repeat 2 (not_steady)."
    )


def test_a_target_of_a_level_that_did_not_run_says_so(baseline: RunMetrics) -> None:
    row = replace(baseline.targets[0], level="2000", value=None, verdict="no_data")
    metrics = replace(baseline, targets=(row,))
    assert _row(metrics, "2000", "throughput")[1] == "not run"
    assert _row(metrics, "2000", "throughput")[4] == "not measured this level did not run"


def test_the_note_explains_only_what_is_in_the_table(baseline: RunMetrics) -> None:
    assert "Implied rate" in targets.target_table(baseline).note
    rows = tuple(row for row in baseline.targets if row.what == "memory" and row.level == "100")
    note = targets.target_table(replace(baseline, targets=rows, kpis=())).note
    assert note == ""


def test_a_run_without_valid_levels_says_so_once(baseline: RunMetrics) -> None:
    levels = tuple(replace(one, validity="not_steady") for one in baseline.levels[:2])
    run = replace(baseline, levels=levels, targets=target_rows(levels), kpis=kpi_grades(levels))
    invalid = "these are not valid: 100 (not_steady), 500 (not_steady)."
    for table in targets.tables(run)[:2]:
        assert table.note.count(invalid) == 1
        assert not any("no data" in cell.text for row in table.rows for cell in row)
    answer = next(
        one for one in answers.verdicts(run, cost.cost_of(run)) if "targets" in one.question
    )
    assert (answer.answer.text, answer.parts) == ("no data", ())
    assert answer.sentences[0].endswith(invalid)


def test_the_limits_of_the_grades_are_printed_with_the_grades(baseline: RunMetrics) -> None:
    """Every boundary of the KPI table, as a condition; a run without grades prints none."""
    limits = targets.tables(baseline)[-1]
    assert limits.columns == ("Grade", *targets.kpi_table(baseline).columns[3:])
    assert [[cell.text for cell in row] for row in limits.rows] == [
        ["good", "> 50/s", "< 1 s", "< 5 s", "> 99 %", "< 500 MB"],
        ["acceptable", "> 10/s", "< 5 s", "< 15 s", "> 95 %", "< 1,000 MB"],
        ["poor", "< 5/s", "> 10 s", "> 30 s", "< 90 %", "> 2,000 MB"],
    ]
    assert targets.tables(replace(baseline, targets=(), kpis=())) == ()


def test_beside_a_neighbour_what_is_met_remains_met_and_what_is_missed_is_unclear(
    baseline: RunMetrics,
) -> None:
    """100 in flight meets every expectation at 331/s, and misses one at 9/s."""
    levels = (
        replace(baseline.levels[0], validity="noisy_host"),
        replace(
            baseline.levels[0],
            index=1,
            repeat=1,
            validity="noisy_host",
            throughput_per_s=9.0,
            throughput_low_per_s=8.9,
            throughput_high_per_s=9.1,
        ),
    )
    run = replace(baseline, levels=levels, targets=target_rows(levels), kpis=kpi_grades(levels))
    expected = [row.verdict for row in run.targets if (row.table, row.what) == EXPECTED_RATE]
    assert expected == ["met", "unclear"]
    assert targets.BESIDE_NEIGHBOURS in targets.target_table(run).note
    answer = next(
        one for one in answers.verdicts(run, cost.cost_of(run)) if "targets" in one.question
    )
    assert answer.answer.text == "unclear"
    assert any("other programs may have slowed the target" in p.cell.note for p in answer.parts)
