"""A check that does not pass says what, by how much, what it means, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.analysis.slo.explain import what_it_means
from perf_pipeline.analysis.targets import target_rows
from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.metrics.types.records import Writes
from perf_pipeline.metrics.types.slo_verdict import SloVerdict
from perf_pipeline.report.run.checks import (
    CheckFinding,
    check_errors,
    check_repeats,
    check_slos,
    check_targets,
    check_validity,
    check_writes,
)
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

ERROR, WARN = "ERROR", "WARN"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> RunMetrics:
    """10 in flight at 100 ms: 100/s, valid, no failure, no writes, no targets but errors."""
    run = measure_run(write_run(tmp_path_factory.mktemp("results"), "r-1", measured=False))
    levels = tuple(replace(level, target="kailash") for level in run.levels)
    return replace(run, levels=levels, targets=target_rows(levels))


def with_level(metrics: RunMetrics, **values: Any) -> RunMetrics:
    return replace(metrics, levels=(replace(metrics.levels[0], **values),))


def text_of(result: CheckFinding | None) -> str:
    assert result is not None
    return "\n\n".join(result.sentences)


def test_a_good_run_passes_and_says_on_what_it_rests(good: RunMetrics) -> None:
    assert check_validity(good).passed
    assert text_of(check_validity(good)).startswith("valid: The measurement")
    assert (check_errors(good).passed, text_of(check_errors(good))) == (True, "No workflow failed.")


def test_a_check_that_has_nothing_to_test_has_no_finding(good: RunMetrics) -> None:
    """Neither green nor red: no writes, no objectives, no repeats, no target that applies."""
    none = replace(good, targets=())
    assert [check_writes(none), check_slos(none), check_repeats(none), check_targets(none)] == [
        *(None, None, None, None)
    ]


@pytest.mark.parametrize(
    ("validity", "severity", "to_do"),
    [
        ("incomplete", ERROR, "What to do: The reasons name what is missing."),
        ("not_steady", WARN, "What to do: Measure longer"),
        ("noisy_host", WARN, "What to do: Stop other programs"),
    ],
)
def test_what_is_no_measurement_says_why_and_what_to_do(
    good: RunMetrics, validity: Any, severity: str, to_do: str
) -> None:
    """Missing data is an error; doubt is a warning, never a pass."""
    result = check_validity(replace(good, validity=validity, reasons=("2.1 turnovers \x1b[31m",)))
    assert (result.passed, result.severity) == (False, severity)
    assert text_of(result).startswith(f"{validity}: ")
    assert "2.1 turnovers \\x1b[31m" in text_of(result)
    assert to_do in text_of(result)


def test_a_missing_write_is_named_with_its_level_and_numbers(good: RunMetrics) -> None:
    writes = (
        Writes("postgres", 500, 497, 3, 0),
        Writes("redis", 500, 500, 0, 0),
        Writes("mysql", 500, None, None, None, "connection refused"),
    )
    result = check_writes(with_level(good, writes=writes))
    assert result is not None
    assert (result.passed, result.severity) == (False, ERROR)
    assert "10 postgres: 497 found, 500 expected, 3 missing, 0 extra" in text_of(result)
    assert "10 mysql: connection refused" in text_of(result)
    assert "10 redis" not in text_of(result)
    assert "do not use the numbers of that level" in text_of(result)


@pytest.mark.parametrize(("failed", "severity"), [(3, WARN), (60, ERROR)])
def test_failures_are_counted_by_class_with_an_example(
    good: RunMetrics, failed: int, severity: str
) -> None:
    """Of 1000: 0.3 % is a warning, 6 % is more than production may have."""
    level = with_level(
        good,
        outcomes={"ok": 1000 - failed, "error": failed},
        error_ratio=failed / 1000,
        error_classes={"workflow_error": failed, "connection": 0},
        error_examples={"workflow_error": ("boom <script> ![](http://evil.example/p.png)",)},
    )
    result = check_errors(level)
    assert (result.passed, result.severity) == (False, severity)
    share = f"{failed / 10:.3g}"
    assert f"10: {failed} of 1,000 workflows failed ({share}" in text_of(result)
    assert f"workflow_error {failed} (boom <script> ![](http://evil" in text_of(result)
    assert "connection" not in text_of(result)


def test_more_than_a_few_failures_are_named_where_validity_is_looked_for(good: RunMetrics) -> None:
    outcomes = {"ok": 900, "error": 100}
    examples = {"connection": ("refused",)}
    level = with_level(
        good, outcomes=outcomes, error_classes={"connection": 100}, error_examples=examples
    )
    assert check_validity(level).passed
    failures = "Failures at 10: 100 of 1,000 workflows failed (10.0 %); connection 100 (refused)."
    assert failures in text_of(check_validity(level))
    few = with_level(good, outcomes={"ok": 1000, "error": 2})
    assert "Failures" not in text_of(check_validity(few))


def test_a_level_in_which_nothing_ended_is_not_called_free_of_failures(good: RunMetrics) -> None:
    nothing = check_errors(with_level(good, error_ratio=None))
    assert not nothing.passed
    assert "in the steady phase not measured" in text_of(nothing)
    assert not check_errors(replace(good, levels=())).passed


def test_a_missed_target_says_by_how_much_and_no_data_is_not_met(good: RunMetrics) -> None:
    """Memory was not sampled in this run, so it is not known whether it is below 1,000 MB."""
    result = check_targets(good)
    assert result is not None
    assert (result.passed, result.severity) == (False, WARN)
    assert "memory at 10: not measured, wanted < 1,000 MB (no_data)" in text_of(result)
    assert "Missed:" not in text_of(result)
    rows = tuple(
        replace(row, value=7.5, verdict="missed") if row.what == "error ratio" else row
        for row in good.targets
    )
    missed = text_of(check_targets(replace(good, targets=rows)))
    assert "error ratio at 10: 7.50 %, wanted < 5 % (missed by 2.50 %)" in missed
    assert "Missed: on this machine the target does not sustain that load" in missed
    met = tuple(replace(row, value=1.0, verdict="met") for row in good.targets)
    all_met = check_targets(replace(good, targets=met))
    assert all_met is not None
    assert all_met.passed


@pytest.mark.parametrize(
    ("verdict", "passed", "severity"),
    [
        ("met", True, WARN),
        ("missed", False, ERROR),
        ("unclear", False, WARN),
        ("no_data", False, WARN),
    ],
)
def test_an_objective_that_is_not_surely_met_does_not_pass(
    good: RunMetrics, verdict: Any, passed: object, severity: str
) -> None:
    slo = SloVerdict(
        slo=Slo("p99_s", 0.5),
        level="10",
        index=0,
        family="",
        what="P99 service time",
        value=0.75,
        low=0.7,
        high=0.8,
        at_least=False,
        samples=800,
        validity="valid",
        at_s=None,
        verdict=verdict,
        why="It took longer.",
    )
    result = check_slos(with_level(good, slos=(slo,)))
    assert result is not None
    assert result.passed is passed
    if not passed:
        assert result.severity == severity
        expected = f"p99_s <= 0.5 (10): {verdict}: 0.75 s, valid, 800 samples. It took longer."
        assert text_of(result) == expected


@pytest.mark.parametrize(
    ("verdict", "means", "advice"),
    [
        ("missed", "The target does not meet this objective", "Lower the load, or look at"),
        ("unclear", "It may or may not be met: the interval", "Measure longer (--duration)"),
        ("no_data", "It decides nothing: the interval", "Measure again until the level is valid"),
    ],
)
def test_an_objective_that_is_not_met_has_difference_meaning_and_advice(
    good: RunMetrics, verdict: Any, means: str, advice: str
) -> None:
    judged = SloVerdict(
        slo=Slo("p99_s", 0.5),
        level="10",
        index=0,
        family="",
        what="P99 service time",
        value=0.75,
        low=0.7,
        high=0.8,
        at_least=False,
        samples=800,
        validity="valid",
        at_s=None,
        verdict=verdict,
        why="" if verdict == "missed" else "the interval is wide",
    )
    text = text_of(check_slos(with_level(good, slos=(what_it_means(judged),))))
    for part in ("0.75 s, 0.25 s (50 %) above the limit of 0.5 s", means, advice):
        assert part in text
