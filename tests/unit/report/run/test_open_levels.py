"""How long users wait is answered for open levels alone, and with a value only for valid ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.run.answers import verdicts
from perf_pipeline.report.run.cost import cost_of, process_seconds
from perf_pipeline.report.run.open_levels import QUESTION, waits_answer

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def _opened(baseline: RunMetrics, ugly: RunMetrics, **changes: object) -> RunMetrics:
    """Return a run of two open levels, 300 and 600 offered a second, the second changed."""
    load = ugly.levels[0].open_load
    assert load is not None
    levels = [
        replace(
            level,
            loop="open",
            bottleneck=None,
            response_times=level.service_times,
            outcomes={**level.outcomes, "abandoned": 0},
            open_load=replace(load, offered=f"{rate:g}/s", offered_per_s=rate, left_per_s=rate),
        )
        for level, rate in zip(baseline.levels[:2], (300.0, 600.0), strict=True)
    ]
    levels[1] = replace(levels[1], **changes)  # type: ignore[arg-type]
    return replace(baseline, levels=tuple(levels), targets=(), kpis=())


def test_the_answer_is_the_p99_at_the_greatest_rate_that_was_measured(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    answer = waits_answer(_opened(baseline, ugly))
    assert answer is not None
    assert answer[0].text == "p99 7.84 s at 600/s"
    assert answer[1][1].startswith("100 (300/s, valid): p50 224 ms, p99 1.36 s (no interval); ")


def test_a_level_that_is_not_valid_has_its_sentence_and_gives_no_answer(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    answer = waits_answer(_opened(baseline, ugly, validity="not_steady"))
    assert answer is not None
    assert answer[0].text == "p99 1.36 s at 300/s"
    assert answer[1][0].startswith("500 (600/s, not_steady): p50 1.29 s, p99 7.84 s")


def test_a_level_whose_target_failed_is_not_limited_by_its_arrivals(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    """Errors are answers as well, and fast ones: that all arrivals were answered is no praise."""
    changes = {"validity": "target_failed", "error_ratio": 1.0}
    level = _opened(baseline, ugly).levels[1]
    assert level.response_times is not None
    whole = replace(level.response_times, in_flight_at_end=0)
    run = _opened(baseline, ugly, **changes, response_times=whole)
    answers = {one.question: one for one in verdicts(run, cost_of(run))}
    assert answers["What limited it?"].answer.text == "the target failed"
    assert answers[QUESTION].sentences[0].endswith("; all answered, 100 % with an error.")


def test_without_a_p99_of_a_valid_level_there_is_no_data(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    run = _opened(baseline, ugly)
    weak = tuple(replace(level, validity="noisy_host") for level in run.levels)
    answer = waits_answer(replace(run, levels=weak))
    assert answer is not None
    assert (answer[0].text, len(answer[1])) == ("no data", 2)


def test_of_a_closed_run_nobody_asks_it(baseline: RunMetrics) -> None:
    assert waits_answer(baseline) is None
    assert QUESTION not in [one.question for one in verdicts(baseline, cost_of(baseline))]


def test_an_open_run_that_keeps_up_is_limited_by_its_arrivals_and_has_no_cost(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    """Between arrivals its processes are idle: processes / throughput is no cost of a workflow."""
    run = _opened(baseline, ugly)
    answers = {one.question: one for one in verdicts(run, cost_of(run))}
    assert answers["What limited it?"].answer.text == "the arrivals"
    assert answers[QUESTION].answer.text == "p99 7.84 s at 600/s"
    assert (
        answers["Does it meet the targets?"]
        .sentences[0]
        .startswith("The targets apply to closed-loop levels")
    )
    assert all(part.process_s is None for part in cost_of(run).parts)
    assert "is an open loop" in str(process_seconds(run, run.levels[0]))
    assert isinstance(process_seconds(baseline, baseline.levels[0]), float)


def test_a_run_that_drops_what_arrives_is_not_limited_by_its_arrivals(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    """What is dropped leaves too, so as many leave as arrive: 88 % were dropped when this lied."""
    run = _opened(baseline, ugly, outcomes={"ok": 3000, "dropped": 24_000})
    answers = {one.question: one for one in verdicts(run, cost_of(run))}
    assert answers["What limited it?"].answer.text == "not known"
