"""The table of objectives: every verdict with its validity, and what was not run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.judge import judge_slos
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.report.run.slo import NONE, slo_answer, slo_table

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

SLOS = [parse_slo("throughput_per_s > 300"), parse_slo("error_ratio < 0.5")]


def _judged(run: RunMetrics) -> RunMetrics:
    levels = tuple(replace(one, slos=judge_slos(SLOS, one)) for one in run.levels)
    return replace(run, levels=levels, manifest=replace(run.manifest, plan_hashes={}))


def test_each_objective_has_a_row_a_level_with_its_validity(baseline: RunMetrics) -> None:
    """100: 331/s met; 500: 288/s missed; arms are not asked.

    1000 is not steady: all that ended and all in flight at the end make less than 300/s.
    """
    table = slo_table(_judged(baseline))

    rows = [tuple(cell.text for cell in row[:5]) for row in table.rows]
    assert [row for row in rows if row[0].startswith("throughput")] == [
        ("throughput_per_s >= 300", "100", "valid", "met", "331.4/s"),
        ("throughput_per_s >= 300", "500", "valid", "missed", "288.1/s"),
        ("throughput_per_s >= 300", "1000", "not_steady", "missed", "142.8/s"),
    ]
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_the_answer_is_the_worst_verdict_and_names_what_is_not_met(baseline: RunMetrics) -> None:
    answer = slo_answer(_judged(baseline))
    assert answer is not None
    cell, sentences = answer

    assert (cell.text, cell.tone) == ("missed", "bad")
    assert sentences[0] == "3 of 6 met."
    assert sentences[1:3] == (
        "throughput_per_s >= 300, missed: 500 (288.1/s, valid); 1000 (142.8/s, not_steady).",
        "error_ratio <= 0.5, no data: 1000 (0.0007937, not_steady).",
    )


def test_without_objectives_nothing_is_asked(baseline: RunMetrics, ugly: RunMetrics) -> None:
    assert slo_answer(baseline) is None
    assert (slo_table(baseline).rows, slo_table(baseline).note) == ((), NONE)
    assert slo_table(_judged(ugly)).rows[0][3].text == "no data"
