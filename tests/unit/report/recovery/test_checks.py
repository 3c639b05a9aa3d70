"""The checks of failures: not in effect, and not recovered, are two findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.recovery.checks import check_faults_in_effect, check_recovery
from tests.planted_recovery import fault, invalid, metastable, not_possible
from tests.unit.report.recovery.test_answer import played

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_a_run_without_failures_has_nothing_to_check(baseline: RunMetrics) -> None:
    assert check_faults_in_effect(baseline) is None
    assert check_recovery(baseline) is None


def test_a_recovery_passes_both(baseline: RunMetrics) -> None:
    run = played(baseline, fault())
    for check in (check_faults_in_effect, check_recovery):
        finding = check(run)
        assert finding is not None
        assert finding.passed
        assert len(finding.facts) == 1


def test_a_metastable_target_fails_the_recovery_alone(baseline: RunMetrics) -> None:
    run = played(baseline, metastable())
    in_effect, recovered = check_faults_in_effect(run), check_recovery(run)
    assert in_effect is not None
    assert recovered is not None
    assert in_effect.passed
    assert (recovered.passed, recovered.severity) == (False, "ERROR")


def test_a_failure_that_was_never_injected_fails_both_with_the_reason(baseline: RunMetrics) -> None:
    run = played(baseline, invalid())
    in_effect, recovered = check_faults_in_effect(run), check_recovery(run)
    assert in_effect is not None
    assert recovered is not None
    assert (in_effect.passed, in_effect.severity) == (False, "ERROR")
    assert "postgres is not ours" in in_effect.sentences[0]
    assert (recovered.passed, recovered.severity) == (False, "WARN")


def test_a_failure_that_is_not_possible_here_is_counted_and_decides_nothing(
    baseline: RunMetrics,
) -> None:
    """Without any other there is nothing that could have passed."""
    run, alone = played(baseline, fault(), not_possible()), played(baseline, not_possible())
    for check in (check_faults_in_effect, check_recovery):
        finding, nothing = check(run), check(alone)
        assert finding is not None
        assert nothing is not None
        assert finding.passed
        assert "all 1 failures" in finding.sentences[0].lower()
        assert "io_saturation on PostgreSQL" in finding.sentences[1]
        assert "not possible here" in str(finding.facts)
        assert not nothing.passed
