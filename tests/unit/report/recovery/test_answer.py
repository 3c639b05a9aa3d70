"""Does it recover from failures? One answer, the worst failure first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.types.fault.recovery import Estimate
from perf_pipeline.metrics.types.records import Writes
from perf_pipeline.report.recovery.answer import answer
from perf_pipeline.report.run.checks import check_writes
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.run.run_verdict import run_verdict
from tests.planted_recovery import (
    fault,
    invalid,
    metastable,
    not_possible,
    open_arm,
    recovery,
)
from tests.unit.report.recovery.test_tables import with_faults

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def played(metrics: RunMetrics, *faults: FaultRecovery) -> RunMetrics:
    """Return a valid run of one level with these failures."""
    run = with_faults(metrics, recovery(*faults))
    level = replace(run.levels[0], writes=(Writes("postgres", 500, 503, 0, 3),))
    plan = {f"{level.index:02d}-{level.label}": "plan"}
    manifest = replace(run.manifest, plan_hashes=plan)
    return replace(run, validity="valid", reasons=(), levels=(level,), manifest=manifest)


def test_a_run_without_failures_is_not_asked(baseline: RunMetrics) -> None:
    assert answer(baseline) is None


@pytest.mark.parametrize(
    ("faults", "text", "word", "failures"),
    [
        ([fault()], "recovered", "valid", 0),
        ([fault(), invalid()], "not known: 1 of 2 failures invalid", "fault_invalid", 1),
        ([invalid(), fault(), metastable()], "metastable: 1 of 3 failures", "metastable", 2),
        (
            [fault(), not_possible()],
            "recovered from the others: 1 of 2 failures not possible here",
            "valid",
            0,
        ),
        (
            [fault(), not_possible(), invalid()],
            "not known: 1 of 3 failures invalid",
            "fault_invalid",
            1,
        ),
        ([not_possible()], "not known: 1 of 1 failure not possible here", "fault_invalid", 1),
    ],
)
def test_the_worst_failure_decides(
    baseline: RunMetrics, faults: list[FaultRecovery], text: str, word: str, failures: int
) -> None:
    run = played(baseline, *faults)
    found = answer(run)
    assert found is not None
    assert found[0].text == text
    verdict = run_verdict(run)
    assert (verdict.word, len(verdict.failures)) == (word, failures)
    told = (*verdict.failures, *verdict.not_possible)
    missing = [line for line in told if "not possible here: the kernel shows" in line]
    assert len(missing) == sum(one.verdict == "not_possible" for one in faults)


def test_a_sentence_has_the_figures_and_the_writes(baseline: RunMetrics) -> None:
    found = answer(played(baseline, fault()))
    assert found is not None
    assert found[1] == (
        (
            "database_timeout on PostgreSQL at 100: recovered in 1.20 s (1.18 to 1.30 s), lost "
            "service 4.31 s (4.20 to 4.40 s), 210 of 217 workflows not answered well."
        ),
        "Acknowledged writes at 100: PostgreSQL has 500 of 500.",
    )


def test_the_open_loop_leads_and_of_its_failures_the_slowest_recovery(baseline: RunMetrics) -> None:
    """A closed loop hides failures."""
    soon = fault(kind="soon", time_to_recover_s=Estimate(0.5, 0.5, 0.5))
    open_one = open_arm(baseline.levels[1], recovery(soon, fault(kind="late")))
    closed = replace(baseline.levels[0], recovery=recovery(fault(kind="closed")))
    found = answer(replace(baseline, levels=(closed, open_one)))
    assert found is not None
    assert [text.split()[0] for text in found[1][:3]] == ["late", "soon", "closed"]


def test_markdown_has_answer_and_tables(baseline: RunMetrics) -> None:
    text = render_markdown(played(baseline, metastable()))
    assert "**Does it recover from failures? metastable: 1 of 1 failure.**" in text
    assert "## Failures and recovery" in text


def test_writes_that_a_server_forgot_are_said_with_the_failure_and_pass_the_check(
    baseline: RunMetrics,
) -> None:
    lost = Writes("redis", 500, 440, 60, 0, lost_by="server_crash")
    run = played(baseline, fault())
    run = replace(run, levels=(replace(run.levels[0], writes=(lost,)),))
    found, check = answer(run), check_writes(run)
    assert found is not None
    assert check is not None
    assert found[1][-1].endswith(": Redis has 440 of 500 (lost by server_crash).")
    assert check.passed
    assert check.facts["100 redis"].endswith("60 missing, 0 extra, lost by server_crash")
