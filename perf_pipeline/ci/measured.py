"""Notes a run that was measured, with its verdicts and its summary."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.ci.cases import Case, run_cases
from perf_pipeline.ci.job_summary import run_summary
from perf_pipeline.ci.notes import NotedRun, are_wanted, note_run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.analysis.capacity import CapacityFinding
    from perf_pipeline.ci.cases import Outcome
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

_OF_FINDING: Mapping[str, Outcome] = {
    "found": "passed",
    "at_least": "passed",
    "none": "failed",
}


def note_measured(
    metrics: RunMetrics,
    report: Path,
    *,
    gate: str | None = None,
    table: str = "",
) -> None:
    """Note a run; of no effect where no command writes CI files.

    Args:
        metrics: The run.
        report: Its report.
        gate: ``--gate``; None for none.
        table: The table of targets that the gate judges by.
    """
    if are_wanted():
        _note(metrics, report, run_cases(metrics, gate, table), run_summary(metrics))


def note_capacity(metrics: RunMetrics, finding: CapacityFinding, page: Path) -> None:
    """Note a search for capacity: its answer is the one verdict, as steps are meant to miss."""
    if are_wanted():
        from perf_pipeline.report.run.capacity_page import (  # noqa: PLC0415 - numpy and polars
            render_markdown,
        )

        outcome = _OF_FINDING.get(finding.verdict, "skipped")
        name = f"capacity: {' and '.join(finding.slos)}"
        text = "" if outcome == "passed" else f"{finding.verdict}: {finding.summary}"
        case = Case(metrics.manifest.scenario, name, outcome, text)
        _note(metrics, page, (case,), render_markdown(finding, metrics))


def _note(metrics: RunMetrics, report: Path, cases: tuple[Case, ...], summary: str) -> None:
    note_run(
        NotedRun(
            run_id=metrics.run_id,
            scenario=metrics.manifest.scenario,
            started_at=metrics.manifest.started_at,
            report=str(report),
            cases=cases,
            summary=summary,
        )
    )
