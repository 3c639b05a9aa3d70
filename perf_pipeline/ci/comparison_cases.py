"""A comparison as test cases: each metric one, with its effect, its interval and its limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.compare import tolerant
from perf_pipeline.analysis.comparison.compared_metric import METRICS
from perf_pipeline.ci.cases import Case
from perf_pipeline.ci.notes import NotedRun, are_wanted, note_run
from perf_pipeline.report.comparison.markdown import render_markdown
from perf_pipeline.report.comparison.tables import by_weight
from perf_pipeline.report.text import changes, escape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.ci.cases import Outcome
    from perf_pipeline.metrics.types.comparison import Change, Comparison, ComparisonVerdict

OUTCOMES: Mapping[ComparisonVerdict, Outcome] = {
    "regression": "failed",
    "improvement": "passed",
    "no_change": "passed",
    "unstable": "skipped",
    "no_data": "skipped",
}
"""Doubt passes no test."""


def note_comparison(comparison: Comparison, page: Path) -> None:
    """Note a comparison; of no effect where no command writes CI files.

    Args:
        comparison: The comparison.
        page: Its page.
    """
    if not are_wanted():
        return
    note_run(
        NotedRun(
            run_id=comparison.comparison_id,
            scenario=comparison.scenario,
            started_at="",
            report=str(page),
            cases=comparison_cases(comparison),
            summary=render_markdown(comparison),
            what=f"comparison {comparison.comparison_id}",
        )
    )


def comparison_cases(comparison: Comparison) -> tuple[Case, ...]:
    """Return the verdict on the whole, then each metric, those first that a decision depends on."""
    whole = OUTCOMES[comparison.verdict]
    verdict = comparison.verdict.replace("_", " ")
    worst = "" if comparison.severity == "none" else f", {comparison.severity}"
    text = " ".join([f"{verdict}{worst}.", *map(escape.visible, comparison.recommendations)])
    name = (
        f"{escape.name(comparison.candidate.name)} against {escape.name(comparison.baseline.name)}"
    )
    scenario = comparison.scenario
    return (
        Case(scenario, name, whole, "" if whole == "passed" else text, detail=text),
        *(_case(scenario, change, comparison.matters) for change in by_weight(comparison.changes)),
    )


def _case(scenario: str, change: Change, matters: float) -> Case:
    outcome = OUTCOMES[change.verdict]
    detail = (
        f"{changes.verdict_text(change)}: {changes.in_short(change)}; {_limit(change, matters)}. "
        f"{changes.reason(change)}"
    )
    where = ": ".join(escape.name(one) for one in (change.level, change.family) if one)
    name = f"{where}: {escape.name(change.metric)}"
    return Case(scenario, name, outcome, "" if outcome == "passed" else detail, detail=detail)


def _limit(change: Change, matters: float) -> str:
    """Return from which change on a metric is judged."""
    metric = METRICS.get(change.metric)
    if metric is None:
        return "no limit is known"
    ends = (metric.negligible, tolerant(metric, matters).matters)
    smallest, missed = (
        changes.effect_text(1 + end if metric.kind == "ratio" else end, metric.kind).lstrip("+")
        for end in ends
    )
    return f"limit: up to {smallest} is no change, {missed} must not be missed"
