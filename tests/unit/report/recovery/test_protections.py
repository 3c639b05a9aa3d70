"""Protections in the report: an effect, or that there was none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.recovery.protection import protection_effects
from perf_pipeline.report.recovery.protections import (
    NOTE,
    QUESTION,
    protection_answer,
    protection_table,
)
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.run.page import render_html
from tests.planted_recovery import fault, invalid, open_arm, recovery
from tests.unit.analysis.recovery.test_protection import FEWER_FAILED
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def with_arms(metrics: RunMetrics, off: FaultRecovery, *on: FaultRecovery) -> RunMetrics:
    """Return a run of one level without protections, and one with more and more retries each."""
    arms = [
        open_arm(
            metrics.levels[0], recovery(one), label=f"retries-{count}", strict_memory_limit_mb=count
        )
        for count, one in enumerate((off, *on))
    ]
    return replace(metrics, levels=tuple(arms), protections=protection_effects(arms))


def test_a_run_without_such_levels_has_neither_table_nor_answer(baseline: RunMetrics) -> None:
    assert protection_table(baseline).rows == ()
    assert protection_answer(baseline) is None


def test_what_changed_nothing_is_called_no_effect_on_this_workflow(baseline: RunMetrics) -> None:
    run = with_arms(baseline, fault(), fault())
    (row,) = protection_table(run).rows
    assert [cell.text for cell in row] == [
        "strict_memory_limit_mb = 1",
        "database_timeout on PostgreSQL",
        "retries-1 against retries-0",
        "no effect on this workflow",
        "3.03 s → 3.03 s",
        "4.31 s → 4.31 s",
        "2.50 → 2.50",
        "valid",
    ]
    assert row[0].note  # what the target says that the setting is
    assert "a difference counts from 759 ms on" in row[4].note
    answer = protection_answer(run)
    assert answer is not None
    assert answer[0].text == "no effect on this workflow"
    assert answer[0].tone == "warn"


def test_the_worst_comparison_leads_and_each_has_a_sentence(baseline: RunMetrics) -> None:
    run = with_arms(baseline, fault(), fault(**FEWER_FAILED), invalid())
    answer = protection_answer(run)
    assert answer is not None
    assert answer[0].text == "not known: 1 of 2 comparisons"
    first, second = answer[1]
    assert first == (
        "strict_memory_limit_mb = 1 under database_timeout on PostgreSQL: protected: failed 3.03 s "
        "without and 0 s with it, lost service 4.31 s and 4.31 s."
    )
    assert "not known, since at retries-2 it is invalid: it was never injected" in second


def test_both_reports_have_the_table_and_the_question(baseline: RunMetrics) -> None:
    run = with_arms(baseline, fault(), fault())
    for text in (render_html(run), render_markdown(run)):
        assert "no effect on this workflow" in text
        assert QUESTION in text
        assert NOTE[:60] in text


def test_names_of_a_target_stay_texts(baseline: RunMetrics) -> None:
    (one,) = with_arms(baseline, fault(), fault()).protections
    bad = replace(one, kind=HOSTILE, server=HOSTILE, switched={HOSTILE: HOSTILE}, target=HOSTILE)
    table = protection_table(replace(baseline, protections=(replace(bad, why=HOSTILE),)))
    shown = "".join(cell.text + cell.note for row in table.rows for cell in row)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
