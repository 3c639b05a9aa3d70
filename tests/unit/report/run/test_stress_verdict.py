"""A stress run says up to where the target holds, and never beyond what was measured."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from perf_pipeline.report.run import stress_verdict
from perf_pipeline.report.run.answers import verdicts
from perf_pipeline.report.run.cost import cost_of
from perf_pipeline.samples.ended_because import EndedBecause
from tests.manifests import changed

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

WATCHED = {"error_ratio": 0.5, "memory_free_mb": 300.0, "descriptors_free": 100}
DETAIL = "62 % of the 431 workflows that ended in the last 10 s failed (limit 50 %)"
STOPPED = {
    "level": "1000 (high stress)",
    "because": "mostly_failing",
    "detail": DETAIL,
    "not_run": ["1500 (extreme stress)"],
}


def _stress(metrics: RunMetrics, **manifest: Any) -> RunMetrics:
    return replace(metrics, manifest=changed(metrics.manifest, **{"stop": WATCHED, **manifest}))


def test_only_a_run_that_looks_for_the_end_is_asked_for_it(baseline: RunMetrics) -> None:
    never = {"error_ratio": 1.0, "memory_free_mb": 0.0, "descriptors_free": 0}

    assert not stress_verdict.is_asked(baseline)
    assert not stress_verdict.is_asked(_stress(baseline, stop=never))
    asked = verdicts(_stress(baseline), cost_of(baseline))
    assert [one.question for one in asked][2] == stress_verdict.QUESTION


def test_a_stopped_run_names_the_highest_sustained_level_the_reason_and_what_was_not_run(
    baseline: RunMetrics,
) -> None:
    levels = list(baseline.levels)
    levels[1] = replace(levels[1], title="medium stress", error_ratio=0.013)
    levels[2] = replace(
        levels[2], ended_because=EndedBecause("mostly_failing"), ended_detail=DETAIL
    )
    metrics = _stress(replace(baseline, levels=tuple(levels)), stopped=STOPPED)

    cell, sentences = stress_verdict.answer(metrics)

    assert (cell.text, cell.tone) == ("sustained up to 500", "warn")
    how = "ran to its end; 1.3 % of the workflows in its steady phase failed"
    assert sentences == (
        f"Sustained up to 500 in flight: 500 (medium stress) {how}.",
        f"Stopped at 1000 (high stress) because {DETAIL}.",
        "Not run: 1500 (extreme stress).",
    )


def test_a_run_that_failed_at_its_first_level_sustained_none(baseline: RunMetrics) -> None:
    first = replace(
        baseline.levels[0], ended_because=EndedBecause("mostly_failing"), ended_detail=DETAIL
    )
    metrics = _stress(replace(baseline, levels=(first,)), stopped=STOPPED)

    assert stress_verdict.answer(metrics)[0].text == "no level sustained"


def test_a_level_beyond_a_failed_one_is_not_called_sustained(baseline: RunMetrics) -> None:
    """Its worker was lost at 500; that 1000 got through is no reason to say 1000."""
    levels = list(baseline.levels)
    crashed = replace(levels[1].workers[0], reason="memory limit: 612 MB resident, share ...")
    levels[1] = replace(levels[1], ended_because=EndedBecause("worker lost"), workers=(crashed,))
    cell, sentences = stress_verdict.answer(_stress(replace(baseline, levels=tuple(levels))))

    assert cell.text == "sustained up to 100"
    assert "500 did not run to its end: worker lost." in sentences


def test_a_run_that_reached_no_maximum_says_so_and_names_the_validity(
    baseline: RunMetrics,
) -> None:
    cell, sentences = stress_verdict.answer(_stress(baseline))

    assert (cell.text, cell.tone) == ("all levels sustained, up to 1000", "good")
    assert sentences[0].startswith(
        "Sustained up to 1000 in flight: 1000 (not_steady) ran to its end"
    )
    assert sentences[-1] == "No level failed, so the maximum was not reached."


def test_the_limit_of_the_machine_is_not_called_the_targets(baseline: RunMetrics) -> None:
    stopped = {**STOPPED, "because": "host_floor", "detail": "200 MB of memory were left"}
    sentences = stress_verdict.answer(_stress(baseline, stopped=stopped))[1]

    assert "This is the limit of the machine, not of the target." in sentences


def _climb(metrics: RunMetrics, rates: dict[int, float]) -> RunMetrics:
    """Make valid closed levels of these throughputs, each known to 1 %."""
    like = next(level for level in metrics.levels if level.validity == "valid")
    levels = tuple(
        replace(
            like,
            index=index,
            label=str(number),
            concurrency=number,
            throughput_per_s=per_s,
            throughput_low_per_s=0.99 * per_s,
            throughput_high_per_s=1.01 * per_s,
        )
        for index, (number, per_s) in enumerate(rates.items())
    )
    return _stress(replace(metrics, levels=levels))


def test_a_throughput_that_falls_says_where_the_runtime_begins_to_collapse(
    baseline: RunMetrics,
) -> None:
    """At most 26/s, at 500; 500 take 19.2 s each, so 500 in flight is the knee's upper bound."""
    _, sentences = stress_verdict.answer(
        _climb(baseline, {500: 26.0, 1000: 25.9, 1500: 20.0, 2000: 12.0})
    )

    text = " ".join(sentences)
    assert "Throughput falls from 26.0/s at 500 to 20.0/s at 1500 in flight" in text
    assert "begins to collapse" in text


def test_a_throughput_that_stays_names_the_number_beyond_which_more_only_wait(
    baseline: RunMetrics,
) -> None:
    """50 in flight at 25/s take 2 s; at the maximum, 30/s, 60 would do: 100 and more only wait."""
    _, sentences = stress_verdict.answer(_climb(baseline, {100: 28.0, 200: 30.0, 400: 29.9}))

    text = " ".join(sentences)
    assert "collapse" not in text
    assert "No clear fall of throughput up to 400 in flight" in text


def test_a_level_at_which_the_target_failed_is_not_sustained_though_it_ran_to_its_end(
    baseline: RunMetrics,
) -> None:
    why = "400 of 500 workflows (80 %) failed"
    levels = list(baseline.levels)
    levels[1] = replace(levels[1], validity="target_failed", reasons=(why,))

    cell, sentences = stress_verdict.answer(_stress(replace(baseline, levels=tuple(levels))))

    assert cell.text == f"sustained up to {levels[0].concurrency}"
    assert f"The target failed at 500: {why}." in sentences
