"""The tables of failures: verdicts with their reasons, open and closed loop side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.recovery.tables import (
    CONTROL,
    OPEN_AND_CLOSED,
    recovery_tables,
    side_by_side,
)
from tests.planted_recovery import BASELINE, fault, invalid, metastable, recovery
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import LevelRecovery
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.text.table import Table


def with_faults(metrics: RunMetrics, *found: LevelRecovery | None) -> RunMetrics:
    """Return a run whose first levels had these failures."""
    levels = [
        replace(level, recovery=one) for level, one in zip(metrics.levels, found, strict=False)
    ]
    return replace(metrics, levels=tuple(levels))


def texts(table: Table) -> list[list[str]]:
    """Return the texts of a table."""
    return [[cell.text for cell in row] for row in table.rows]


def test_a_level_without_failures_has_no_table(baseline: RunMetrics) -> None:
    assert recovery_tables(baseline.levels[0]) == ()
    assert side_by_side(baseline).rows == ()


def test_figures_stand_with_their_intervals_and_reasons(baseline: RunMetrics) -> None:
    level = with_faults(baseline, recovery(fault())).levels[0]
    (row,) = recovery_tables(level)[0].rows
    assert [cell.text for cell in row] == [
        "database_timeout on PostgreSQL",
        "recovered",
        "99.0 %",
        "1.20 s",
        "4.31 s",
        "210 of 217",
        "4.20 s",
        "1.10 s",
        "1.00 before, 2.50 during, 1.10 after",
    ]
    notes = [cell.note for cell in row]
    assert notes[0] == "3.00 s at 8.80 s"
    assert notes[2] == "12 observations, such as: 6 locks waited for"
    assert notes[3] == "95 %: 1.18 to 1.30 s"
    assert "2.40 times the usual throughput" in notes[4]
    assert notes[5] == "timeout 150, slow 60, unknown 2"


def test_never_and_unknown_are_no_numbers(baseline: RunMetrics) -> None:
    level = with_faults(baseline, recovery(metastable(), invalid())).levels[0]
    never, unknown = texts(recovery_tables(level)[0])
    assert never[1:4] == ["metastable", "99.0 %", "never"]
    assert never[7] == "not drained"
    assert unknown[1:6] == ["invalid", "0 %", *["not measured"] * 3]


def test_open_and_closed_loop_under_the_same_failure_are_explained(baseline: RunMetrics) -> None:
    """The rows of one failure stand together."""
    closed = recovery(fault(lost_service_s=None, backlog=None), fault(kind="server_crash"))
    run = with_faults(baseline, closed, recovery(fault()))
    run = replace(run, levels=(run.levels[0], replace(run.levels[1], loop="open")))
    table = side_by_side(run)
    assert [row[0].text for row in table.rows] == [
        *["database_timeout on PostgreSQL"] * 2,
        "server_crash on PostgreSQL",
    ]
    assert [row[2].text for row in table.rows] == ["closed", "open", "closed"]
    assert table.rows[0][5].note == "only an open loop knows what should have arrived"
    assert table.note == OPEN_AND_CLOSED


def test_a_control_is_no_failure_and_never_called_recovered(baseline: RunMetrics) -> None:
    run = with_faults(baseline, recovery(fault()), recovery(metastable(), is_control=True))
    _, control = side_by_side(run).rows
    assert (control[0].text, control[3].text, control[3].tone) == ("no failure",) * 2 + ("bad",)
    assert side_by_side(run).note == CONTROL
    (row,) = recovery_tables(run.levels[1])[0].rows
    assert (row[0].text, row[2].text) == ("none", "")


def test_a_text_of_a_server_stays_a_text(baseline: RunMetrics) -> None:
    before = replace(BASELINE, why_not=HOSTILE, limit_of=HOSTILE)
    bad = recovery(fault(why=HOSTILE, kind=HOSTILE, server=HOSTILE), baseline=before)
    run = with_faults(baseline, bad)
    for table in (*recovery_tables(run.levels[0]), side_by_side(run)):
        shown = "".join(cell.text + cell.note for row in table.rows for cell in row) + table.note
        assert "\x1b" not in shown
        assert "\u202e" not in shown
