"""The questions of the reader are answered first, in words of the closed lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.bottleneck import Bottleneck
from perf_pipeline.metrics.types.noise import Noise
from perf_pipeline.metrics.types.open_load import Lag, OpenLoad
from perf_pipeline.metrics.validity import NOT_QUIET
from perf_pipeline.report.level import level_view, noise
from perf_pipeline.report.run import answers, cost
from perf_pipeline.report.text import labels

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.run.answers import Verdict


def load(offered_per_s: float) -> OpenLoad:
    """Return an open load at a rate."""
    lag = Lag(1, 0.0, 0.0, 0.0)
    return OpenLoad(
        *("r", "constant", 4, 1.0, 3, offered_per_s, None, 0, 3, 0, lag, lag, "", ()),
    )


def _verdicts(metrics: RunMetrics) -> dict[str, Verdict]:
    return {one.question: one for one in answers.verdicts(metrics, cost.cost_of(metrics))}


def test_a_reader_has_the_answers_before_any_table(baseline: RunMetrics) -> None:
    """At each level of this run, ten workflows or more failed."""
    assert list(_verdicts(baseline)) == [
        "Is it a measurement?",
        "What failed?",
        "Does it meet the targets?",
        "What limited it?",
        "How much is the runtime's own?",
    ]


def test_more_than_a_few_failures_stand_on_top_with_their_classes_and_texts(
    baseline: RunMetrics,
) -> None:
    """A valid level may tolerate them; a reader must not have to look for them."""
    bad = replace(
        baseline.levels[1],
        outcomes={"ok": 900, "error": 90, "timeout": 10},
        error_classes={"connection": 80, "wrong_result": 10},
        error_examples={"connection": ("[Errno 111] refused",)},
    )
    few = replace(baseline.levels[0], outcomes={"ok": 5000, "error": 2})
    found = _verdicts(replace(baseline, levels=(few, bad)))

    assert list(found)[:2] == ["Is it a measurement?", "What failed?"]
    assert (found["What failed?"].answer.text, found["What failed?"].answer.tone) == (
        *("102 of 6,002 workflows", "bad"),
    )
    (sentence,) = found["What failed?"].sentences
    assert sentence == (
        "500: 100 of 1,000 workflows failed (10.0 %); connection 80 ([Errno 111] refused); "
        "wrong_result 10; longer than the deadline 10."
    )


def test_the_control_target_alone_is_asked_nothing_about_a_runtime(baseline: RunMetrics) -> None:
    alone = tuple(
        replace(level, target="control") for level in baseline.levels if level.role == "level"
    )
    found = _verdicts(replace(baseline, levels=alone, targets=(), kpis=()))

    assert "How much is the runtime's own?" not in found
    targets = found["Does it meet the targets?"]
    assert (targets.answer.text, targets.answer.tone) == ("none were set", "quiet")
    assert "they are about a runtime" in targets.sentences[0]


def test_a_run_of_requests_is_told_how_to_set_objectives_for_them(baseline: RunMetrics) -> None:
    sent = tuple(replace(level, target="http") for level in baseline.levels)
    found = _verdicts(replace(baseline, levels=sent, targets=(), kpis=()))
    assert "for your requests" in found["Does it meet the targets?"].sentences[0]


def test_why_a_run_failed_is_the_first_that_is_said_of_it(baseline: RunMetrics) -> None:
    """Such as the host that was lost: "It failed" was all that the top of the page said."""
    why = "the run is failed: shard 1 (host gen-b) was killed"
    failed = replace(
        baseline, status="failed", validity="incomplete", reasons=(why, "level 100: x")
    )
    answer = _verdicts(failed)["Is it a measurement?"]
    assert answer.in_short == f"{why}."
    assert f"The status of the run is failed: {labels.STATUS['failed']}" in answer.rest
    assert sum(why in one for one in answer.sentences) == 1


def test_a_run_with_one_level_not_steady_says_which_and_why(baseline: RunMetrics) -> None:
    measurement = _verdicts(baseline)["Is it a measurement?"]
    assert measurement.answer.text == "not_steady"
    assert "4 of 5 levels and arms are valid." in measurement.sentences
    assert "1000: 2.1 turnovers in 150 s, 3 are needed" in measurement.sentences


def test_where_the_target_failed_that_stands_on_top_and_nothing_is_named_as_the_limit(
    baseline: RunMetrics,
) -> None:
    why = "none of the 813 workflows of the load succeeded"
    failed = [
        replace(level, validity="target_failed", reasons=(why,), bottleneck=None)
        for level in baseline.levels
    ]
    found = _verdicts(
        replace(
            baseline,
            levels=tuple(failed),
            validity="target_failed",
            reasons=tuple(f"level {level.shown}: {why}" for level in failed),
        )
    )
    measurement, limited = found["Is it a measurement?"], found["What limited it?"]
    assert next(iter(found)) == "Is it a measurement?"
    assert (measurement.answer.text, measurement.answer.tone) == ("target_failed", "bad")
    assert measurement.sentences[1] == f"level 100: {why}."
    assert limited.answer.text == "the target failed"


def test_a_killed_run_without_levels_says_both_and_nothing_else(empty: RunMetrics) -> None:
    found = _verdicts(empty)
    sentences = found["Is it a measurement?"].sentences
    assert sentences[1] == f"The status of the run is killed: {labels.STATUS['killed']}"
    assert sentences[2] == "No level was measured."
    assert [one.answer.text for one in list(found.values())[1:]] == [
        "no data",
        "not known",
        "not measured",
    ]


def test_targets_met_in_part_and_unknown_in_part_are_not_called_met(baseline: RunMetrics) -> None:
    rows = tuple(row for row in baseline.targets if row.verdict != "missed")
    targets = _verdicts(replace(baseline, targets=rows))["Does it meet the targets?"]
    expected = targets.parts[0].cell
    assert (targets.answer.text, expected.text) == ("met as far as measured",) * 2
    assert expected.note == ("4 of 5 met. Not judged, because not valid: 1000 (not_steady).")


def test_one_missed_target_misses_its_table_and_is_named_in_the_answer(
    baseline: RunMetrics,
) -> None:
    rows = tuple(
        replace(row, verdict="missed") if (row.level, row.what) == ("500", "memory") else row
        for row in baseline.targets
        if (row.table, row.what) != ("minimum", "memory")
    )
    targets = _verdicts(replace(baseline, targets=rows))["Does it meet the targets?"]
    by_table = {part.term: part.cell for part in targets.parts}
    assert targets.answer.text == "missed: expected, goal"
    # At 1000, lower bounds of the average and of P99 break their limits.
    assert by_table["Expected"].note.startswith("4 of 6 met. Missed: average latency at 1000 (not")
    missed = "Missed: memory at 500; average latency, P99 latency at 1000 (not_steady)."
    assert missed in by_table["Goal"].note


def test_a_target_missed_in_two_repeats_of_a_level_is_named_once(baseline: RunMetrics) -> None:
    """The repeats of a level share its label, so each of its rows is there twice."""
    missed = (replace(row, verdict="missed") for row in baseline.targets if row.level == "500")
    rows = tuple(row for row in missed if row.what in ("memory", "P99 latency"))
    targets = _verdicts(replace(baseline, targets=rows + rows))["Does it meet the targets?"]
    goal = next(part.cell.note for part in targets.parts if part.term == "Goal")
    assert "Missed: P99 latency (2 repeats), memory (2 repeats) at 500." in goal


def test_all_targets_met_is_met_and_none_evaluated_is_no_data(baseline: RunMetrics) -> None:
    for verdict_word, shown in (("met", "met"), ("missed", "missed"), ("no_data", "no data")):
        rows = tuple(replace(row, verdict=verdict_word) for row in baseline.targets)
        targets = _verdicts(replace(baseline, targets=rows))["Does it meet the targets?"]
        assert targets.answer.text == shown
        assert [part.cell.text for part in targets.parts] == [shown] * 3


def test_the_bottleneck_of_the_highest_level_is_only_a_hint_where_the_level_is_not_valid(
    baseline: RunMetrics,
) -> None:
    """The level at 1000 of this run is not steady; an arm is never asked."""
    found = Bottleneck("interpreter_lock", "Each worker used 1.0 cores.", ())
    levels = tuple(replace(level, bottleneck=found) for level in baseline.levels)
    limited = _verdicts(replace(baseline, levels=levels))["What limited it?"]

    assert limited.answer.text == "interpreter lock"
    assert limited.sentences == (
        "At 1000 in flight: Each worker used 1.0 cores.",
        "That level is not_steady, so this is a hint.",
    )
    assert _verdicts(baseline)["What limited it?"].answer.text == "not known"


def test_objectives_are_asked_for_where_there_are_some(
    baseline: RunMetrics, ugly: RunMetrics
) -> None:
    question = "Does it keep its objectives?"
    assert question not in _verdicts(baseline)
    assert _verdicts(ugly)[question].answer.text == "missed"


def test_of_many_levels_reasons_the_top_shows_three_and_counts_the_rest(
    baseline: RunMetrics,
) -> None:
    """A reason of the run as a whole belongs to no level, so it is always shown."""
    many = (*(f"level 100: reason {at}" for at in range(5)), "no server")
    found = _verdicts(replace(baseline, reasons=many))["Is it a measurement?"]
    assert found.sentences[-5:] == (
        *("no server", "level 100: reason 0", "level 100: reason 1", "level 100: reason 2"),
        "And 2 reasons more: each is shown at its level.",
    )


def test_the_greatest_of_open_levels_is_the_one_that_offers_most(baseline: RunMetrics) -> None:
    """All of them have the same slots; the busiest one is neither first nor last."""
    levels = tuple(
        replace(
            baseline.levels[0],
            label=f"{rate}",
            loop="open",
            open_load=load(rate),
            bottleneck=Bottleneck("cpu", f"offered {rate}.", ()),
        )
        for rate in (10.0, 50.0, 30.0)
    )
    limited = _verdicts(replace(baseline, levels=levels))["What limited it?"]
    assert limited.sentences == ("At 50.0: offered 50.0.",)


def test_noise_that_is_not_judged_is_reported_with_the_validity(baseline: RunMetrics) -> None:
    """On a shared machine a level stays valid, and the reader learns it in the same breath."""
    noisy = Noise("noisy", ("others used 30 %",), False, ())
    levels = (replace(baseline.levels[0], noise=noisy), *baseline.levels[1:])
    run = replace(baseline, levels=levels)
    sentences = _verdicts(run)["Is it a measurement?"].sentences
    assert f"Others used the machine at 100: {noise.NOT_JUDGED}" in sentences
    assert not any(
        noise.NOT_JUDGED in one for one in _verdicts(baseline)["Is it a measurement?"].sentences
    )


def test_an_unclear_target_is_neither_met_nor_missed_by_the_run(baseline: RunMetrics) -> None:
    rows = tuple(
        replace(row, verdict="unclear" if row.what == "throughput" else "met")
        for row in baseline.targets
        if row.level == "100"
    )
    run = replace(baseline, targets=rows)
    targets = _verdicts(run)["Does it meet the targets?"]
    assert (targets.answer.text, targets.answer.tone) == ("unclear", "warn")
    assert "Unclear, the interval contains the limit: throughput at 100." in (
        targets.parts[0].cell.note
    )


def test_noise_that_is_judged_is_explained_once_with_what_to_do(baseline: RunMetrics) -> None:
    cause = "share of the cores that other programs used: 31 %, limit 5 %"
    noisy = Noise("noisy", (cause,), judged=True, figures=())
    reason = f"{NOT_QUIET}: {cause}"
    levels = tuple(
        replace(level, noise=noisy, validity="noisy_host", reasons=(reason,))
        for level in baseline.levels
    )
    reasons = tuple(f"level {level.label}: {reason}" for level in levels)
    run = replace(baseline, levels=levels, validity="noisy_host", reasons=reasons)
    text = " ".join(_verdicts(run)["Is it a measurement?"].sentences)
    assert text.count("Other programs used this machine at every level.") == 1
    assert text.count("PERF_PIPELINE_NOISE=tell") == 1
    assert cause not in text  # it is shown at its level
    assert level_view.level_view(levels[0]).reasons[-1] == reason


def test_a_level_is_called_not_steady_for_its_drift_or_its_turnovers_and_not_for_both(
    baseline: RunMetrics,
) -> None:
    """1000 had 2.1 turnovers of 3; a level with 12 that drifts must not be charged with those."""
    drift = "its throughput drifts by 12 % [8 to 16 %] over the steady phase"
    short = baseline.levels[2]
    drifting = replace(short, turnovers=12.0, reasons=(drift,))
    run = replace(baseline, levels=(drifting,), reasons=(f"level {drifting.label}: {drift}",))

    view = level_view.level_view(drifting)
    sentences = _verdicts(run)["Is it a measurement?"].sentences

    assert view.reasons == (labels.VALIDITY["not_steady"], drift)
    assert {fact.term: fact.cell.text for fact in view.facts}["Turnovers"] == "12.0"
    assert sentences[0] == labels.VALIDITY["not_steady"]
    assert sentences[-1] == f"level {drifting.label}: {drift}"
    assert not any("turnovers" in one for one in (*view.reasons, *sentences))
    assert any("2.1 turnovers" in one for one in level_view.level_view(short).reasons)


def test_an_answer_that_does_not_fit_two_lines_is_cut_at_a_word_and_unfolds_whole(
    baseline: RunMetrics,
) -> None:
    """What was cut is the first thing that unfolds; what fits is not repeated there."""
    limited = Bottleneck("cpu", "It used a core. " * 20 + "The end.", ())
    last = replace(baseline.levels[2], bottleneck=limited)
    long = _verdicts(replace(baseline, levels=(last,)))["What limited it?"]
    assert len(f"{long.answer.text} {long.on_top}") <= answers.ON_TOP_LENGTH_MAX + 2
    assert long.on_top.endswith(("core …", "used …", "It …", "a …"))
    assert long.rest[0].endswith("The end.")
    short = _verdicts(baseline)["What limited it?"]
    assert (short.on_top, short.rest) == ("What limited the levels is unknown.", ())
