"""The tables of failures: of one level, and of all levels under the same failure side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.recovery import fault_cells as cells
from perf_pipeline.report.recovery.protections import protection_table
from perf_pipeline.report.recovery.repeats import repeated_recovery
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery, LevelRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

RECOVERY = (
    "Time to recover: from the moment when the failure was gone until service was as before, that "
    "is at least 95 % as many good answers, a p99 of at most 1.2 times that before, and no more "
    "errors, for {hold}. Lost service: seconds without any service that would have harmed as "
    "many; later catching up is not set against it. invalid: not proven to have been in effect for "
    "95 % of its window, or the answer cannot be known; nothing is said about the target then. "
    "not possible here: no run on this machine can have it, so the others are judged without it. "
    "metastable: the failure was gone, and service did not come back."
)
OPEN_AND_CLOSED = (
    "The same failure looks harmless in a closed loop: its N slots wait for it, one workflow each, "
    "and start nothing meanwhile, so at most about N workflows meet it, and percentiles over all "
    "workflows hardly move. Users do not stop arriving. In an open loop workflows keep arriving on "
    "their schedule, each of them meets the failure or the queue behind it, and its time counts "
    "from when it should have started. Judge recovery by the open loop."
)
CONTROL = (
    "no failure: a level without it, in the same windows and through the same proxy. What it "
    "shows is the error of the measure itself."
)


def recovery_tables(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the tables of a level's failures; empty for a level without any."""
    found = level.recovery
    if found is None:
        return ()
    columns = (
        *(
            "Failure",
            "Verdict",
            "In effect",
            "Time to recover",
            "Lost service",
            "Not answered well",
        ),
        *("Longest outage", "Backlog drained", "Attempts a workflow"),
    )
    rows = tuple(_row(fault, found) for fault in found.faults)
    hold = " or ".join(sorted({quantity.seconds(fault.hold_s) for fault in found.faults}))
    note = RECOVERY.format(hold=hold)
    basis = quantity.counted(len(found.faults), "window")
    title = "Windows without a failure (control)" if found.is_control else "Failures and recovery"
    whole = Table(title, columns, rows, level.validity, basis, note)
    return (whole, *_baseline(level, found), *_moments(level, found))


def _row(fault: FaultRecovery, found: LevelRecovery) -> tuple[Cell, ...]:
    verdict = cells.control_cell(fault) if found.is_control else cells.verdict_cell(fault)
    evidence = Cell("", "quiet") if found.is_control else cells.evidence_cell(fault)
    name = "none" if found.is_control else cells.fault_name(fault)
    return (
        Cell(name, note=cells.window_text(fault)),
        verdict,
        evidence,
        cells.time_to_recover_cell(fault),
        cells.lost_service_cell(fault),
        cells.harm_cell(fault),
        cells.longest_bad_run_cell(fault),
        cells.backlog_cell(fault),
        cells.retries_cell(fault, found.why_no_retries),
    )


def _baseline(level: LevelMetrics, found: LevelRecovery) -> tuple[Table, ...]:
    """Return what "as before" means."""
    before = found.baseline
    if before is None:
        return ()
    span = f"{before.start_s:.1f} to {before.end_s:.1f} s"
    limit = f"from the {before.limit_of}"
    if before.limit_of != "baseline":
        limit = f"by the objective {escape.visible(before.limit_of)}"
    margin = quantity.between(before.as_before_low_s, before.as_before_high_s, "s")
    rows = (
        (Cell("time"), Cell(span)),
        (Cell("workflows"), number(f"{quantity.count(before.due)}")),
        (Cell("rate"), number(quantity.rate(before.rate_per_s))),
        (Cell("answered well"), number(quantity.percent(100 * before.good_share))),
        (Cell("failed"), number(quantity.percent(100 * before.error_share))),
        (Cell("p99"), number(quantity.seconds(before.p99_s))),
        (Cell("as before up to"), number(quantity.seconds(before.as_before_s), margin)),
        (Cell("answered well up to"), number(quantity.seconds(before.limit_s), limit)),
    )
    note = escape.visible(before.why_not)
    return (Table("Service before the first failure", ("", ""), rows, level.validity, note=note),)


def _moments(level: LevelMetrics, found: LevelRecovery) -> tuple[Table, ...]:
    """Return when each failure passed through its steps."""
    if found.is_control:
        return ()
    columns = ("Failure", "Injected", "In effect", "Undone", "Gone")
    rows = tuple(
        (
            Cell(cells.fault_name(fault)),
            *(
                Cell("never", "quiet") if at_s is None else number(f"{at_s:.2f} s")
                for at_s in (
                    fault.moments.injecting_s,
                    fault.moments.in_effect_s,
                    fault.moments.undoing_s,
                    fault.moments.gone_s,
                )
            ),
        )
        for fault in found.faults
    )
    note = "Seconds since the start of the level."
    return (Table("Course of the failures", columns, rows, level.validity, note=note),)


def recovery_of_run(metrics: RunMetrics) -> tuple[Table, ...]:
    """Return the tables of a run with failures; empty for any other run."""
    tables = (side_by_side(metrics), repeated_recovery(metrics), protection_table(metrics))
    return tuple(table for table in tables if table.rows)


def side_by_side(metrics: RunMetrics) -> Table:
    """Return a row for each failure and level, the levels under the same failure together.

    No row for a run without failures.
    """
    rows: dict[str, list[tuple[Cell, ...]]] = {}
    loops, controls = set(), False
    for level in metrics.levels:
        found = level.recovery
        if found is None:
            continue
        controls |= found.is_control
        for fault in found.faults:
            name = cells.NO_FAILURE if found.is_control else cells.fault_name(fault)
            loops.add((name, level.loop))
            rows.setdefault(name, []).append(_compared(name, level, found, fault))
    both = any((name, "open") in loops and (name, "closed") in loops for name in rows)
    notes = ([OPEN_AND_CLOSED] if both else []) + ([CONTROL] if controls else [])
    columns = (
        *("Failure", "Level", "Loop", "Verdict", "Time to recover", "Lost service"),
        *("Not answered well", "p99 until then", "p99 of the level", "Validity"),
    )
    all_rows = tuple(row for of_fault in rows.values() for row in of_fault)
    return Table("Failures and recovery", columns, all_rows, note=" ".join(notes))


def _compared(
    name: str, level: LevelMetrics, found: LevelRecovery, fault: FaultRecovery
) -> tuple[Cell, ...]:
    times = level.response_times or level.service_times
    verdict = cells.control_cell(fault) if found.is_control else cells.verdict_cell(fault)
    whole = times.p99.value_s
    return (
        Cell(name, note=cells.window_text(fault)),
        Cell(labels.level_name(level), note=labels.executor(level)),
        Cell(level.loop),
        verdict,
        cells.time_to_recover_cell(fault),
        cells.lost_service_cell(fault),
        cells.harm_cell(fault),
        cells.p99_cell(fault),
        Cell(quantity.NOT_MEASURED, "quiet") if whole is None else number(quantity.seconds(whole)),
        labels.validity_cell(level.validity),
    )
