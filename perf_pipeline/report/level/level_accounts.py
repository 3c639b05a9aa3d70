"""Errors, connections, writes, worker processes and missing fields of load levels, as tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.level.resources import connection_table
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import WorkerEnd, Writes
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

COMMIT_GAP_MAX_S = 1.0
"""A longer time between two commits of a worker's journal is flagged."""

PRINTED_MAX_BYTES = 1_000_000
"""A target that prints more says so in the report."""
_GAP_MAX = quantity.limit(COMMIT_GAP_MAX_S, "s")

EXAMPLE_LENGTH_MAX = 300


def server_accounts(level: LevelMetrics) -> tuple[Table, ...]:
    """Return connections to the servers, counts of writes there, and the servers' initial state."""
    return (*connection_table(level), *_writes(level), *_server_state(level))


def errors(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the errors of a level by class, with examples; empty without errors."""
    rows = []
    for name, found in sorted(level.error_classes.items(), key=lambda item: -item[1]):
        if not found:
            continue
        examples = level.error_examples.get(name, ())
        for position, example in enumerate(examples or ("no message was recorded",)):
            shown = Cell(escape.visible(example, length_max=EXAMPLE_LENGTH_MAX), "code")
            steady = quantity.count(level.steady_error_classes.get(name, 0))
            counts = (number(quantity.count(found)), number(steady))
            label = (Cell(escape.name(name.replace("_", " "))), *counts)
            rows.append((*(label if position == 0 else (Cell(""),) * 3), shown))
    if not rows:
        return ()
    total = sum(level.error_classes.values())
    basis = f"{quantity.counted(total, 'error')} in the whole level"
    columns = ("Class", "Whole level", "Steady phase", "Example")
    note = " ".join(f"{escape.visible(one.sentence)}." for one in level.exhausted)
    return (Table("Errors", columns, tuple(rows), level.validity, basis, note),)


def _server_state(level: LevelMetrics) -> tuple[Table, ...]:
    rows = tuple(
        (Cell(escape.name(server)), Cell(escape.visible(state)))
        for server, state in sorted(level.server_state.items())
    )
    if not rows:
        return ()
    title = "State of the servers when the level began"
    return (Table(title, ("Server", "State"), rows, level.validity),)


def _writes(level: LevelMetrics) -> tuple[Table, ...]:
    columns = ("Server", "Expected", "Found", "Missing", "Extra", "")
    rows = tuple(_write_row(write) for write in level.writes)
    note = (
        "Expected: workflows that ended ok and write to this server. Missing: ended ok, but not "
        "found on the server. Extra: written by workflows that did not end ok, which is allowed: "
        "an error can come after the write, and where the answer was lost both are right."
    )
    if not rows:
        return ()
    title = "Writes, counted on the server"
    return (Table(title, columns, rows, level.validity, note=note),)


def _write_row(write: Writes) -> tuple[Cell, ...]:
    why = escape.visible(write.problem or "the server was not counted")
    if write.lost_by:
        agreement = Cell(f"lost by {escape.name(write.lost_by)}", "warn")
    elif write.missing:
        agreement = Cell("does not agree", "bad")
    elif write.missing is None:
        agreement = Cell("not counted", "bad")
    else:
        agreement = Cell("agrees", "good")
    row = (
        Cell(escape.name(write.server)),
        number(quantity.count(write.expected)),
        measured(write.found, quantity.count, why),
        measured(write.missing, quantity.count, why),
        _extra(write, why),
        agreement,
    )
    return say_once(row)


def _extra(write: Writes, why: str) -> Cell:
    cell = measured(write.extra, quantity.count, why)
    split = (("failed", write.extra_failed), ("answer lost", write.extra_unknown))
    note = ", ".join(f"{name} {quantity.count(n)}" for name, n in split if n)
    return replace(cell, note=note) if note else cell


def workers(level: LevelMetrics) -> Table:
    """Return how the worker processes ended, and how many of their records may be missing."""
    reasons: dict[str, list[WorkerEnd]] = {}
    for end in level.workers:
        reasons.setdefault(end.reason, []).append(end)
    rows = tuple(_worker_row(reason, ends) for reason, ends in reasons.items())
    if not rows:
        rows = ((Cell("no end of a worker process was recorded", "quiet"), *(Cell(""),) * 4),)
    columns = (
        "Ended because",
        "Processes",
        "May be missing",
        "Longest gap between commits",
        "Left behind by the target",
    )
    note = (
        "May be missing: workflows that had started and have no committed record. "
        f"A gap above {_GAP_MAX} is flagged: a kill in such a gap loses more records."
    )
    sentences = (printed_sentence(level), replaced_sentence(level), teardown_sentence(level))
    for sentence in filter(None, sentences):
        note = f"{note} {sentence}"
    return Table("Worker processes", columns, rows, level.validity, note=note)


def _worker_row(reason: str, ends: list[WorkerEnd]) -> tuple[Cell, ...]:
    missing = sum(end.may_be_missing for end in ends)
    gaps = [end.commit_gap_max_s for end in ends if end.commit_gap_max_s is not None]
    gap = measured(max(gaps, default=None), quantity.seconds, "no commit was recorded")
    if gaps and max(gaps) > COMMIT_GAP_MAX_S:
        gap = Cell(gap.text, "warn", f"above {_GAP_MAX}")
    return (
        Cell(escape.visible(reason), "plain" if reason == "done" else "bad"),
        number(quantity.count(len(ends))),
        Cell(quantity.count(missing), "warn" if missing else "number"),
        gap,
        _left_behind(ends),
    )


def printed_sentence(level: LevelMetrics) -> str:
    """Return how much the target printed, if that is worth knowing; empty if it is not."""
    total = sum(end.printed_bytes for end in level.workers)
    dropped = sum(end.log_dropped_bytes for end in level.workers)
    if total < PRINTED_MAX_BYTES:
        return ""
    rest = f", of which the logs lack {quantity.megabytes(dropped / 1e6)}" if dropped else ""
    return (
        f"The target printed {quantity.megabytes(total / 1e6)}{rest}: printing costs it time and "
        "CPU, and is part of these figures."
    )


def replaced_sentence(level: LevelMetrics) -> str:
    """Return what the target had replaced in its processes; empty if it is nothing."""
    found = dict.fromkeys(change for end in level.workers for change in end.replaced)
    if not found:
        return ""
    return (
        f"Warning, the target changed its process: {'; '.join(map(escape.visible, found))}. Our "
        "clocks, sleep and threads are not affected; what it measures and waits for itself is."
    )


def teardown_sentence(level: LevelMetrics) -> str:
    """Return what went wrong with the user's teardown; empty if nothing did."""
    found = dict.fromkeys(end.teardown for end in level.workers if end.teardown)
    if not found:
        return ""
    what = "; ".join(map(escape.visible, found))
    return f"Warning: {what}. All records had been stored before; no figure is affected."


def _left_behind(ends: list[WorkerEnd]) -> Cell:
    """Return the processes that the target started and did not end, by name."""
    names: Counter[str] = Counter()
    for end in ends:
        names.update(end.left_behind)
    if not names:
        return Cell("none")
    shown = ", ".join(f"{count} x {escape.name(name)}" for name, count in names.most_common())
    return Cell(shown, "warn", "processes that it had started: they were ended with the worker")


def not_measured(metrics: RunMetrics) -> Table:
    """Return every field without a value, with the reason and the levels that lack it."""
    by_reason: dict[str, dict[str, list[str]]] = {}
    for level in metrics.levels:
        for field, reason in level.not_measured.items():
            levels = by_reason.setdefault(reason, {}).setdefault(field, [])
            levels.append(labels.level_name(level))
    rows = []
    for reason, fields in by_reason.items():
        by_levels: dict[tuple[str, ...], list[str]] = {}
        for field, levels in fields.items():
            by_levels.setdefault(tuple(levels), []).append(escape.name(field))
        for at, names in by_levels.items():
            where = "all" if len(at) == len(metrics.levels) else ", ".join(at)
            rows.append((Cell(", ".join(names)), Cell(escape.visible(reason)), Cell(where)))
    return Table("Not measured", ("Fields", "Reason", "Levels"), tuple(rows))
