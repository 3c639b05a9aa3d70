"""How much of a workflow's time is the runtime's own is shown only where both sides are valid."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.kpi import kpi_grades
from perf_pipeline.analysis.targets import target_rows
from perf_pipeline.metrics.types.cpu_use import CpuPerWorkflow
from perf_pipeline.report.run import answers, cost, overhead
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.run.page import render_html

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.text.table import Cell


def _answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]]:
    return overhead.answer(metrics, cost.cost_of(metrics))


def test_the_share_is_what_a_workflow_takes_more_than_its_work(baseline: RunMetrics) -> None:
    """1.924 cores and two processes: 331.4/s with code nodes, 8410/s of plain functions."""
    cell, sentences = _answer(baseline)
    assert cell.text == f"{100 * (1 - 331.4 / 8410):.1f} %"
    assert sentences == (
        (
            "At 100 in flight a workflow takes 5.81 ms of CPU time with code nodes, and its work "
            "alone 0.229 ms."
        ),
        "By the clock it takes 6.04 ms of one worker process, and its work alone 0.238 ms.",
    )


def test_beside_a_neighbour_the_question_is_answered_and_the_clock_is_shown_as_affected(
    baseline: RunMetrics,
) -> None:
    levels = tuple(replace(level, validity="noisy_host") for level in baseline.levels)
    cell, sentences = _answer(replace(baseline, levels=levels))
    assert cell.text == f"{100 * (1 - 331.4 / 8410):.1f} %"
    assert sentences[-1] == cost.AFFECTED


def test_without_valid_code_nodes_the_lean_ones_tell_it(baseline: RunMetrics) -> None:
    levels = tuple(
        replace(level, validity="not_steady") if level.label == "100" else level
        for level in baseline.levels
    )
    cell, sentences = _answer(replace(baseline, levels=levels))
    assert cell.text == f"{100 * (1 - 3120 / 8410):.1f} %"
    assert "with lean nodes" in sentences[0]


def test_without_the_cost_of_the_work_there_is_no_answer_and_each_reason_once(
    baseline: RunMetrics,
) -> None:
    cell, sentences = _answer(replace(baseline, levels=baseline.levels[:3]))
    assert (cell.text, cell.tone) == ("not measured", "quiet")
    assert sentences == (
        "Not measured: nothing ran without a runtime; nothing ran with lean nodes.",
    )


def test_a_runtime_that_is_no_slower_than_its_work_gets_no_share(baseline: RunMetrics) -> None:
    levels = tuple(
        replace(level, cpu_per_workflow=CpuPerWorkflow(7e-3, None, None, 3000, 21.0))
        if level.target == "control"
        else level
        for level in baseline.levels
    )
    cell, _ = _answer(replace(baseline, levels=levels))
    assert cell.text == "too small to measure"


def test_functions_of_a_users_own_have_no_arms_to_compare_and_no_targets_but_objectives(
    baseline: RunMetrics,
) -> None:
    levels = tuple(replace(level, target="callable+mine==1.0") for level in baseline.levels[:2])
    run = replace(baseline, levels=levels, targets=target_rows(levels), kpis=kpi_grades(levels))
    assert (run.targets, run.kpis) == ((), ())
    verdicts = {one.question: one for one in answers.verdicts(run, cost.cost_of(run))}
    assert overhead.QUESTION not in verdicts
    answer = verdicts["Does it meet the targets?"]
    assert answer.answer.text == "none were set"
    assert "[[slo]]" in answer.sentences[0]
    for page in (render_markdown(run), render_html(run)):
        assert "code nodes" not in page
        assert "what the runtime adds" not in page
        assert "No targets apply" in page
    assert "what the runtime adds" in render_markdown(baseline)
