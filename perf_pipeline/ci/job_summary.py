"""A summary in Markdown for the page of a CI job: the answer, the figures, the verdicts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.ci.notes import MEANINGS, RESULTS
from perf_pipeline.report.run import answers, cost, headline, open_levels, slo
from perf_pipeline.report.run.markdown import markdown_table
from perf_pipeline.report.text.escape import markdown as inert

if TYPE_CHECKING:
    from perf_pipeline.ci.cases import Case
    from perf_pipeline.ci.notes import NotedRun, Notes
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

MAX_BYTES = 900_000
"""GitHub takes a megabyte for all summaries of a step."""
CASES_MAX = 100
_SIGNS = {"failed": "missed", "skipped": "undecided", "error": "no measurement"}


def run_summary(metrics: RunMetrics) -> str:
    """Return the answers and the tables of a run as Markdown."""
    tables = (
        headline.headline(metrics),
        open_levels.open_headline(metrics),
        slo.slo_table(metrics),
    )
    return "\n\n".join(
        [
            "\n".join(map(_answer, answers.verdicts(metrics, cost.cost_of(metrics)))),
            *(markdown_table(replace(table, note="")) for table in tables if table.rows),
        ]
    )


def render_summary(command: str, notes: Notes, code: int) -> str:
    """Return what a command noted as Markdown.

    Args:
        command: Its words, such as ``perf-pipeline run``.
        notes: What it measured, and what went wrong.
        code: Its exit code.
    """
    result = RESULTS.get(code, "failed")
    meaning = MEANINGS.get(code, "unknown")
    blocks = [f"## {inert(command)}: {result}", f"Exit code {code}: {inert(meaning)}."]
    for kind, sentences in notes.problems(code):
        blocks += [f"- {inert(kind)}: {inert(line)}" for line in sentences]
    for run in notes.runs:
        blocks += _run(run)
    text = "\n\n".join(blocks) + "\n"
    whole = text.encode()
    if len(whole) <= MAX_BYTES:
        return text
    cut = whole[:MAX_BYTES].decode(errors="ignore").rpartition("\n")[0]
    return f"{cut}\n\n(cut here: {len(whole):,} bytes; the report has all of it)\n"


def _run(run: NotedRun) -> list[str]:
    bad = [case for case in run.cases if case.outcome != "passed"]
    passed = len(run.cases) - len(bad)
    more = [f"- and {len(bad) - CASES_MAX} more"] if len(bad) > CASES_MAX else []
    return [
        f"### {inert(run.scenario)}, {inert(run.what or f'run {run.run_id}')}",
        f"{passed} of {len(run.cases)} verdicts are met.",
        "\n".join([*map(_line, bad[:CASES_MAX]), *more]),
        run.summary,
        f"Report: {inert(run.report)}",
    ]


def _line(case: Case) -> str:
    sign = _SIGNS[case.outcome]
    return f"- **{sign}** {inert(case.name)}: {inert(case.text.removeprefix(f'{sign}: '))}"


def _answer(one: answers.Verdict) -> str:
    return f"- {inert(one.question)} **{inert(one.answer.text)}** {inert(one.on_top)}".rstrip()
