"""The verdict on a run in one word: the worst that was judged, and why the run failed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.metrics.types.slo_verdict import SloVerdict
from perf_pipeline.report.run.run_verdict import LINES_MAX, RunVerdict, run_verdict
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def judged(verdict: Any, why: str = "because") -> SloVerdict:
    """Return a verdict on an objective."""
    return SloVerdict(
        *(parse_slo("p99_s < 0.5"), "100", 0, "", "P99 latency", 0.7, 0.6, 0.8),
        at_least=False,
        samples=9,
        validity="valid",
        at_s=None,
        verdict=verdict,
        why=why,
    )


def with_slos(metrics: RunMetrics, *slos: SloVerdict) -> RunMetrics:
    """Return a valid run of one level with these objectives."""
    level = replace(metrics.levels[0], slos=slos)
    plan = {f"{level.index:02d}-{level.label}": "plan"}
    manifest = replace(metrics.manifest, plan_hashes=plan)
    return replace(metrics, validity="valid", reasons=(), levels=(level,), manifest=manifest)


def test_a_valid_run_without_objectives_is_valid_and_holds(baseline: RunMetrics) -> None:
    assert run_verdict(with_slos(baseline)) == RunVerdict("valid", ())


@pytest.mark.parametrize(
    ("verdicts", "word", "failures"),
    [
        (["met"], "met", 0),
        (["met", "no_data", "unclear"], "unclear", 2),
        (["unclear", "missed", "met"], "missed", 2),
    ],
)
def test_the_worst_objective_is_the_word_and_an_undecided_one_is_not_met(
    baseline: RunMetrics, verdicts: list[str], word: str, failures: int
) -> None:
    verdict = run_verdict(with_slos(baseline, *map(judged, verdicts)))
    assert (verdict.word, len(verdict.failures)) == (word, failures)
    if failures:
        assert verdict.failures[0].startswith(
            f"objective {word.replace('_', ' ')}: p99_s <= 0.5 at 100: because"
        )


@pytest.mark.parametrize("validity", ["not_steady", "noisy_host", "too_few_samples"])
def test_numbers_that_are_only_doubtful_fail_no_run_and_name_the_doubt(
    baseline: RunMetrics, validity: Any
) -> None:
    assert run_verdict(replace(with_slos(baseline), validity=validity)) == RunVerdict(validity, ())


@pytest.mark.parametrize("validity", ["incomplete", "target_failed"])
def test_a_run_that_measured_nothing_has_failed_whatever_its_objectives_say(
    baseline: RunMetrics, validity: Any
) -> None:
    metrics = replace(
        with_slos(baseline, judged("met")), validity=validity, reasons=("level 100: none",)
    )
    assert run_verdict(metrics) == RunVerdict(validity, (f"{validity}: level 100: none",))


def test_a_gate_is_judged_by_its_table_and_named(baseline: RunMetrics) -> None:
    """Of the two missed lines of the fixture's tables only those of the gate's table count."""
    metrics = with_slos(baseline)
    assert run_verdict(metrics).word == "valid"
    missed = [row for row in metrics.targets if row.table == "minimum" and row.verdict != "met"]
    verdict = run_verdict(metrics, "production")
    assert len(verdict.failures) == len(missed)
    assert all(line.startswith("gate production: ") for line in verdict.failures)
    none_applies = run_verdict(replace(metrics, targets=()), "goal")
    assert (none_applies.word, len(none_applies.failures)) == ("no_data", 1)


def test_many_failures_are_counted_and_hostile_texts_stay_on_their_line(
    baseline: RunMetrics,
) -> None:
    slos = [judged("missed", HOSTILE)] * (LINES_MAX + 3)
    verdict = run_verdict(with_slos(baseline, *slos))
    assert len(verdict.failures) == LINES_MAX + 1
    assert verdict.failures[-1] == "and 3 more, which the report names"
    assert not [line for line in verdict.failures if "\n" in line or "\x1b" in line]
