"""The summary of a run for a terminal: numbers with their validity, and what limited it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from perf_pipeline.cli.output import inert
from perf_pipeline.report.level.bottleneck import bottleneck_fact
from perf_pipeline.report.level.failures import failures, has_many_failures
from perf_pipeline.report.level.level_accounts import printed_sentence
from perf_pipeline.report.level.steady import steady_state_summary
from perf_pipeline.report.run.headline import (
    HEADLINE_COLUMNS,
    INTERVAL_NOTE,
    NOTE,
    OPEN_NOTE,
    headline_table,
    interval_rows,
)
from perf_pipeline.report.text.labels import VALIDITY, level_name, validity_of
from perf_pipeline.report.text.quantity import rate, seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

_VALIDITY_COLUMN = HEADLINE_COLUMNS.index("validity")
_NAMES = ("level", "N", "validity")


def show_summary(metrics: RunMetrics, *, as_json: bool) -> None:
    """Print the summary for people, as wide as their terminal allows."""
    stream = sys.stderr if as_json else sys.stdout
    console = Console(file=stream, highlight=False)
    rows = [tuple(map(inert, row.cells)) for row in headline_table(metrics)]
    below = interval_rows(metrics)
    laid_out = table([HEADLINE_COLUMNS, *with_intervals(rows, below)])
    if console.is_terminal and max(map(len, laid_out.splitlines())) > console.width:
        laid_out = "\n\n".join(map(block, rows, below))
    limits = [
        f"limited at {level_name(level)} ({validity_of(level).text}): {fact.cell.text}; "
        f"{fact.cell.note}"
        for level in metrics.levels
        if level.bottleneck is not None
        for fact in [bottleneck_fact(level.bottleneck)]
    ]
    is_open = any(level.open_load is not None for level in metrics.levels)
    found = [
        sentence(level)
        for sentence in (arrivals_sentence, steady_state_sentence, print_sentence)
        for level in metrics.levels
    ]
    notes = [*map(inert, filter(None, found)), *map(inert, limits)]
    notes += [NOTE.replace("(closed loop)", "(either loop)"), OPEN_NOTE] if is_open else [NOTE]
    failed = [
        inert(text)
        for about in (failure_sentence, failures_sentence)
        for level in metrics.levels
        if (text := about(level))
    ]
    text = "\n".join(["", *failed, laid_out, "", *notes, INTERVAL_NOTE, ""])
    console.print(coloured(text), soft_wrap=True)


def failure_sentence(level: LevelMetrics) -> str:
    """Return how the target failed at a level; empty if it did not."""
    if level.validity != "target_failed":
        return ""
    return f"target_failed at {level_name(level)}: {level.reasons[0]}"


def failures_sentence(level: LevelMetrics) -> str:
    """Return how many workflows of a level failed, and of what; empty for a few."""
    return f"errors at {level_name(level)}: {failures(level)}" if has_many_failures(level) else ""


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


def table(rows: list[tuple[str, ...]]) -> str:
    """Lay out rows of text in columns; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def block(row: tuple[str, ...], below: Mapping[str, str]) -> str:
    """Lay one level out below each other, for a narrow terminal, its validity above its numbers."""
    named = dict(zip(HEADLINE_COLUMNS, row, strict=True))
    validity = row[_VALIDITY_COLUMN]
    lines = [f"{named['level']}: {named['N']} wanted, {validity}"]
    values = {k: f"{v} {below[k]}" if k in below else v for k, v in named.items()}
    lines += [f"  {k:10} {v}" for k, v in values.items() if k not in _NAMES]
    return "\n".join(lines)
