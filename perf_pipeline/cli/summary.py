"""The summary of a run for a terminal: numbers with their validity, and what limited it."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from perf_pipeline.cli.lines.lines import WIDTH_MAX, fitting, wrapped
from perf_pipeline.metrics.validity import NOT_QUIET
from perf_pipeline.report.level.bottleneck import bottleneck_fact
from perf_pipeline.report.level.failures import failures, has_many_failures
from perf_pipeline.report.level.level_accounts import printed_sentence
from perf_pipeline.report.level.steady import steady_state_summary
from perf_pipeline.report.run.answers import FAILURES, verdicts
from perf_pipeline.report.run.cost import cost_of
from perf_pipeline.report.run.headline import (
    HEADLINE_COLUMNS,
    INTERVAL_NOTE,
    NOTE,
    OPEN_NOTE,
    headline_table,
    interval_rows,
)
from perf_pipeline.report.text.labels import VALIDITY, level_name, validity_of
from perf_pipeline.report.text.quantity import percent, rate, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.run.answers import Verdict
    from perf_pipeline.report.run.headline import HeadlineRow

FIRST_LINES_MAX = 5
ANSWER_LINES_MAX = 2
_BY_IMPORTANCE = (
    *("level", "validity", "throughput", "p99", "errors", "samples", "p50", "average"),
    *("CPU each", "N", "p90", "in flight", "times"),
)


def show_summary(
    metrics: RunMetrics, *, as_json: bool, explain: bool = False, first: Sequence[str] = ()
) -> None:
    """Print the summary for people, in at most 100 columns.

    Args:
        metrics: The run.
        as_json: Print on standard error, as standard output is for a program.
        explain: Add the intervals, the remarks on each level, and what the columns mean.
        first: What failed and why, shown before anything else.
    """
    stream = sys.stderr if as_json else sys.stdout
    console = Console(file=stream, highlight=False)
    width = min(console.width, WIDTH_MAX) if console.is_terminal else WIDTH_MAX
    lines = summary_lines(metrics, width, explain=explain, first=first)
    console.print(coloured("\n".join(lines)), soft_wrap=True)


def summary_lines(
    metrics: RunMetrics, width: int, *, explain: bool = False, first: Sequence[str] = ()
) -> list[str]:
    """Return what failed, the answers and the table of levels, no line wider than ``width``."""
    failed = [
        text
        for about in (failure_sentence, failures_sentence)
        for level in metrics.levels
        if (text := about(level))
    ]
    failed += [*invalidity_sentences(metrics), *first]
    on_top = [line for each in failed for line in wrapped(each, width, ANSWER_LINES_MAX)]
    more = len(on_top) - FIRST_LINES_MAX
    if more > 1 and not explain:
        on_top = [*on_top[:FIRST_LINES_MAX], f"and {more} lines more: see the report, or --explain"]
    answers = [
        line
        for one in verdicts(metrics, cost_of(metrics))
        if one.question != FAILURES  # on top already
        for line in wrapped(answer_line(one), width, ANSWER_LINES_MAX, indent="    ")
    ]
    rows = [_with_precision(row, level) for row, level in _rows(metrics)]
    if explain:
        rows = with_intervals([row.cells for row, _ in _rows(metrics)], interval_rows(metrics))
    is_open = any(level.open_load is not None for level in metrics.levels)
    laid_out = fitting_table(rows, width, is_open=is_open).splitlines()
    lines = ["", *on_top, *answers, "", *laid_out, ""]
    for note in _explanations(metrics, is_open=is_open) if explain else ():
        lines += wrapped(note, width)
    return lines


def answer_line(verdict: Verdict) -> str:
    """Return a question with its answer and what it rests on, as one text."""
    rests_on = f". {verdict.in_short}" if verdict.in_short else ""
    return f"{verdict.question} {verdict.answer.text}{rests_on}"


def fitting_table(rows: list[tuple[str, ...]], width: int, *, is_open: bool) -> str:
    """Lay out those columns of the headline that fit the width, the most important ones."""
    order = list(_BY_IMPORTANCE)
    if is_open:
        order.insert(order.index("errors"), order.pop(order.index("times")))
    places = [HEADLINE_COLUMNS.index(name) for name in order]
    return fitting([HEADLINE_COLUMNS, *rows], width, places)


def _rows(metrics: RunMetrics) -> list[tuple[HeadlineRow, LevelMetrics]]:
    return list(zip(headline_table(metrics), metrics.levels, strict=True))


def _with_precision(row: HeadlineRow, level: LevelMetrics) -> tuple[str, ...]:
    """Return the cells, with half the width of its 95 % interval beside the throughput."""
    low, high = level.throughput_low_per_s, level.throughput_high_per_s
    if not level.throughput_per_s or low is None or high is None:
        return row.cells
    half = percent(100 * (high - low) / 2 / level.throughput_per_s, 2)
    return replace(row, throughput=f"{row.throughput} ±{half}").cells


def _explanations(metrics: RunMetrics, *, is_open: bool) -> list[str]:
    """Return the remarks on the levels, and what the columns mean."""
    limits = [
        f"limited at {level_name(level)} ({validity_of(level).text}): {fact.cell.text}; "
        f"{fact.cell.note}"
        for level in metrics.levels
        if level.bottleneck is not None
        for fact in [bottleneck_fact(level.bottleneck)]
    ]
    found = [
        sentence(level)
        for sentence in (
            arrivals_sentence,
            thinking_sentence,
            steady_state_sentence,
            print_sentence,
        )
        for level in metrics.levels
    ]
    legend = [NOTE.replace("(closed loop)", "(either loop)"), OPEN_NOTE] if is_open else [NOTE]
    return [*filter(None, found), *limits, *legend, INTERVAL_NOTE, ""]


def failure_sentence(level: LevelMetrics) -> str:
    """Return how the target failed at a level; empty if it did not."""
    if level.validity != "target_failed":
        return ""
    return f"target_failed at {level_name(level)}: {level.reasons[0]}"


def failures_sentence(level: LevelMetrics) -> str:
    """Return how many workflows of a level failed, and of what; empty for a few."""
    return f"errors at {level_name(level)}: {failures(level)}" if has_many_failures(level) else ""


def invalidity_sentences(metrics: RunMetrics) -> list[str]:
    """Return why a run is not valid, apart from its failed targets and neighbours."""
    failed = [level for level in metrics.levels if level.validity == "target_failed"]
    shown = {f"level {level.shown}: {reason}" for level in failed for reason in level.reasons[:1]}
    return [
        f"not valid: {reason}"
        for reason in metrics.reasons
        if reason not in shown and f": {NOT_QUIET}: " not in reason
    ]


def thinking_sentence(level: LevelMetrics) -> str:
    """Return the users and think time of a level; empty where slots do not think."""
    if level.thinking is None:
        return ""
    found = "not known" if level.thinking.avg_s is None else seconds(level.thinking.avg_s)
    return (
        f"{level_name(level)}: {level.concurrency:,} users, {level.thinking.planned}, "
        f"measured {found} on average"
    )


def arrivals_sentence(level: LevelMetrics) -> str:
    """Return what arrived at an open level and its outcomes; empty for a closed level."""
    load = level.open_load
    if load is None:
        return ""
    waits = "not known" if load.lag.p99_s is None else seconds(load.lag.p99_s)
    own = load.control_lag
    idle = "not measured" if own is None or own.p99_s is None else seconds(own.p99_s)
    rates = "offered and achieved rate not known, there was no steady phase"
    if load.offered_per_s is not None and level.throughput_per_s is not None:
        grew = ", so a queue grew" if load.queue_grew else ""
        rates = f"{rate(load.offered_per_s)} arrived, {rate(level.throughput_per_s)} ended ok{grew}"
    fates = ", ".join(
        f"{level.outcomes[name]} {name}" for name in ("timeout", "dropped", "abandoned")
    )
    return (
        f"{level_name(level)} ({validity_of(level).text}): {load.offered}, "
        f"{load.scheduled} scheduled, {fates}; {rates}; started at most {waits} late (99 %), "
        f"workflows that do nothing {idle}"
    )


def steady_state_sentence(level: LevelMetrics) -> str:
    """Return how a level deviated from a steady state as planned; empty if it did not."""
    summary = steady_state_summary(level)
    return f"{level_name(level)} ({validity_of(level).text}): {summary}" if summary else ""


def print_sentence(level: LevelMetrics) -> str:
    """Return how much the target printed; empty for little."""
    sentence = printed_sentence(level)
    return f"{level_name(level)} ({validity_of(level).text}): {sentence}" if sentence else ""


def with_intervals(
    rows: list[tuple[str, ...]], below: list[dict[str, str]]
) -> list[tuple[str, ...]]:
    """Return the rows, each with its intervals in a separate line below it."""
    laid: list[tuple[str, ...]] = []
    for row, found in zip(rows, below, strict=True):
        laid.append(row)
        if found:
            laid.append(tuple(found.get(column, "") for column in HEADLINE_COLUMNS))
    return laid


def coloured(plain: str) -> Text:
    """Colour the names of validities in a text, which stays as it is."""
    text = Text(plain)
    for validity in VALIDITY:
        text.highlight_regex(rf"\b{validity}\b", "green" if validity == "valid" else "bold yellow")
    return text
