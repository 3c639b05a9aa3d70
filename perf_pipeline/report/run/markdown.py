"""The report as Markdown: the tables and answers of the HTML report, without charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.level import level_accounts, level_view
from perf_pipeline.report.recovery.tables import recovery_of_run
from perf_pipeline.report.run import (
    answers,
    cost,
    headline,
    open_levels,
    provenance,
    repeats,
    slo,
    targets,
)
from perf_pipeline.report.shards.hosts import host_sentences, hosts_table
from perf_pipeline.report.text.escape import markdown as inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.run.answers import Verdict
    from perf_pipeline.report.text.table import Cell, Fact, Table

READING = (
    "Closed loop: N workflows in flight at all times. Open loop: workflows arrive on a schedule. "
    "Service time runs from handing a workflow to the target until its result was checked; "
    "response time runs from the intended start, which only an open loop has. In a closed loop, "
    "average x throughput = in flight (Little's law). ≥: a lower bound, because the percentile "
    "lies among workflows that had not ended (Kaplan-Meier). weak: fewer than 10 samples beyond "
    "the percentile. Only valid numbers describe the target. report.json has every number, the "
    "run's journal every record."
)


def render_markdown(metrics: RunMetrics, compared: Sequence[Verdict] = ()) -> str:
    """Return the report of one run as Markdown, every text of unknown origin escaped.

    Args:
        metrics: The metrics of the run.
        compared: What comparisons say of it.
    """
    parts = cost.cost_of(metrics)
    questions = (*answers.verdicts(metrics, parts), *compared)
    blocks = [
        f"# {inert(provenance.title(metrics))}",
        f"Run {inert(metrics.run_id)}, {inert(metrics.status)}",
        "## Summary",
        " · ".join(inert(phrase.text) for phrase in provenance.in_short(metrics)),
        *map(answer_on_top, questions),
        "## Load levels",
        *(
            markdown_table(table)
            for table in (headline.headline(metrics), open_levels.open_headline(metrics))
            if table.rows
        ),
        "" if metrics.levels else "No level was measured.",
        *(markdown_table(table) for table in (repeats.repeats_table(metrics),) if table.rows),
        "## Targets",
        *(markdown_table(table) for table in (slo.slo_table(metrics),) if table.rows),
        *(markdown_table(table) for table in targets.tables(metrics)),
        "" if targets.tables(metrics) else inert(targets.none_set(metrics)),
        *_recovery(metrics),
        *_hosts(metrics),
        *_costs(metrics, parts),
        "## What the answers rest on",
        *filter(None, map(_in_full, questions)),
        "## Test conditions",
        _facts(provenance.test_conditions(metrics)),
        *(block for level in metrics.levels for block in _level(level)),
        "## Not measured",
        markdown_table(level_accounts.not_measured(metrics), titled=False),
        "## Environment",
        *(
            f"### {inert(name)}\n\n{_facts(facts)}"
            for name, facts in provenance.environment(metrics)
        ),
        "## How to read this",
        READING,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _recovery(metrics: RunMetrics) -> Iterable[str]:
    tables = recovery_of_run(metrics)
    if tables:
        yield "## Failures and recovery"
        yield from map(markdown_table, tables)


def _hosts(metrics: RunMetrics) -> Iterable[str]:
    table = hosts_table(metrics)
    if table.rows:
        yield f"## {table.title}"
        yield markdown_table(table, titled=False)
        yield "\n".join(f"- {inert(sentence)}" for sentence in host_sentences(metrics))


def _costs(metrics: RunMetrics, parts: cost.Cost) -> Iterable[str]:
    if cost.is_asked(metrics):
        yield "## Cost of the work, the runtime and its code nodes"
        yield from (markdown_table(table) for table in cost.cost_tables(metrics, parts))


def _level(level: LevelMetrics) -> Iterable[str]:
    view = level_view.level_view(level)
    yield f"## {inert(view.title)}: {inert(view.validity.text)}"
    yield inert(view.subtitle)
    yield "\n".join(f"- {inert(reason)}" for reason in view.reasons)
    yield f"Phases: {inert(level_view.phases_text(level))}"
    yield from (markdown_table(table) for table in view.tables)


def answer_on_top(one: Verdict) -> str:
    """Return a question with its answer, in about two lines."""
    return f"**{inert(one.question)} {inert(one.answer.text)}.** {inert(one.on_top)}".strip()


def _in_full(one: Verdict) -> str:
    """Return what an answer rests on, where the top does not hold all of it; else nothing."""
    rest = [f"- {inert(sentence)}" for sentence in one.rest]
    rest += [f"- {inert(part.term)}: {_cell(part.cell)}" for part in one.parts]
    if not rest:
        return ""
    return "\n".join([f"**{inert(one.question)} {inert(one.answer.text)}.**", "", *rest])


def _facts(facts: Iterable[Fact]) -> str:
    return "\n".join(f"- {inert(fact.term)}: {_cell(fact.cell)}" for fact in facts)


def markdown_table(table: Table, *, titled: bool = True) -> str:
    """Return a table as Markdown, every text of unknown origin escaped."""
    if not table.rows:
        return f"{table.title}: nothing."
    rests = ", ".join(part for part in (table.validity or "", table.basis) if part)
    title = f"**{inert(table.title)}**" + (f" ({inert(rests)})" if rests else "")
    sides = ["---:" if cell.tone == "number" else "---" for cell in table.rows[0]]
    lines = [
        f"| {' | '.join(inert(column) for column in table.columns)} |",
        f"| {' | '.join(sides)} |",
        *(f"| {' | '.join(_cell(cell) for cell in row)} |" for row in table.rows),
    ]
    blocks = [title] if titled else []
    blocks.append("\n".join(lines))
    if table.note:
        blocks.append(inert(table.note))
    return "\n\n".join(blocks)


def _cell(cell: Cell) -> str:
    return inert(cell.text) + (f" ({inert(cell.note)})" if cell.note else "")
