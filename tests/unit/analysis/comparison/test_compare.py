"""The verdict on two sides, from all metrics of all levels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.comparison.compare import compare_sides
from perf_pipeline.analysis.comparison.observation import Observation
from perf_pipeline.analysis.comparison.side import MeasuredLevel, Side
from perf_pipeline.metrics.types.comparison import Difference

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Change, Comparison

RUNS = (0.99, 1.0, 1.01, 1.0, 0.99, 1.01)
"""How six like runs differ."""


def level(label: str = "100", run: str = "r", times: float = 1.0, **changed: Any) -> MeasuredLevel:
    """Return a level on which a workflow takes ``times`` as long as it should."""
    observations = {
        ("throughput_per_s", ""): Observation(100 / times, samples=5000),
        ("avg_s", ""): Observation(1.0 * times, samples=5000),
        ("p99_s", ""): Observation(2.0 * times, samples=5000),
        ("cpu_per_workflow_s", ""): Observation(0.02 * times, samples=5000),
        ("error_ratio", ""): Observation(0.0, samples=5000),
        ("p50_s", "analytics/simple"): Observation(0.9 * times, samples=2500),
    }
    observations |= changed.pop("observations", {})
    return replace(MeasuredLevel(run, label, "valid", False, observations), **changed)


def side(name: str = "side", times: float = 1.0, **changed: Any) -> Side:
    levels = tuple(level("100", f"r{n}", times * run, **changed) for n, run in enumerate(RUNS))
    return Side(name, "baseline", "kailash==2.65.0", levels)


def compared(baseline: Side, candidate: Side, **more: Any) -> Comparison:
    return compare_sides(baseline, candidate, comparison_id="20261129_100000-4f2c", **more)


def change(comparison: Comparison, metric: str, family: str = "", label: str = "100") -> Change:
    return next(
        one
        for one in comparison.changes
        if (one.metric, one.family, one.level) == (metric, family, label)
    )


def test_a_slower_side_is_a_regression_that_names_what_moved() -> None:
    found = compared(side(), side(times=1.3))

    assert (found.verdict, found.severity) == ("regression", "major")
    throughput = change(found, "throughput_per_s")
    assert throughput.effect == pytest.approx(1 / 1.3)
    assert throughput.low is not None
    assert throughput.high is not None
    assert throughput.low < 1 / 1.3 < throughput.high < 1
    assert change(found, "p99_s").effect == pytest.approx(1.3)
    assert change(found, "p50_s", "analytics/simple").verdict == "regression"
    texts = "\n".join(found.recommendations)
    for moved in ("throughput", "CPU time per workflow", "P99 latency", "analytics/simple"):
        assert moved in texts


def test_higher_is_better_for_throughput_alone() -> None:
    found = compared(side(times=1.3), side())

    assert found.verdict == "improvement"
    assert {one.verdict for one in found.changes if one.metric != "error_ratio"} == {"improvement"}


def test_like_sides_of_six_quiet_runs_are_no_change() -> None:
    found = compared(side(), side())

    assert (found.verdict, found.severity) == ("no_change", "none")
    assert "5 % or more is ruled out" in change(found, "throughput_per_s").why


def test_one_run_a_side_decides_no_small_change() -> None:
    one, other = (Side("s", "baseline", "kailash", (level(times=times),)) for times in (1.0, 1.10))
    found = compared(one, other)

    assert found.verdict == "unstable"
    assert "times as many runs" in change(found, "throughput_per_s").why
    assert any(text.startswith("Warning, nothing is ruled out") for text in found.recommendations)
    assert any(text.startswith("A side of one run") for text in found.recommendations)
    much = Side("s", "baseline", "kailash", (level(times=1.6),))
    assert (compared(one, much).verdict, compared(one, much).severity) == ("regression", "critical")


def test_single_runs_decide_nothing_where_another_program_may_have_slowed_one_unseen() -> None:
    """Found on a machine with a neighbour: two runs of 1 s of the same code, 44 % apart."""
    doubted = {
        ("throughput_per_s", ""): Observation(56.0, samples=5000, doubt="no core for 40 % of it"),
        ("avg_s", ""): Observation(1.0, samples=5000, doubt="no core for 40 % of it"),
    }
    one = Side("a", "baseline", "kailash", (level(),))
    other = Side("b", "baseline", "kailash", (level(observations=doubted),))
    for found in (compared(one, other), compared(other, one)):
        assert found.verdict == "unstable"
        for metric in ("throughput_per_s", "avg_s"):
            assert change(found, metric).verdict == "unstable"
            assert "another program may have used it (no core for" in change(found, metric).why
        assert change(found, "cpu_per_workflow_s").verdict == "unstable"  # 5 % are not ruled out
        assert any("used the machine at level 100, unseen" in one for one in found.recommendations)
    several = side(observations=doubted)
    assert compared(side(), several).verdict == "regression"  # their spread is measured


def test_few_runs_beside_told_neighbours_say_so_before_they_say_what_moved() -> None:
    """Found on a shared machine: one server, measured twice, was a critical regression."""
    one = Side("a", "baseline", "http", (level(neighbours="others used 57 % of the cores"),))
    other = Side("b", "baseline", "http", (level(times=2.0),))
    first, second, *_ = compared(one, other).recommendations
    assert first.startswith(
        "Other programs used the machine at level 100 (others used 57 % of the cores), which "
        "PERF_PIPELINE_NOISE=tell lets count"
    )
    assert second.startswith("critical: ")
    several = compared(side(neighbours="others used 57 %"), side(times=2.0)).recommendations
    assert several[0].startswith("critical: ")  # the spread between them is measured


def test_an_undecided_tail_alone_does_not_make_the_whole_unstable() -> None:
    wild = [Observation(value, samples=5000) for value in (1.0, 3.0, 2.0, 1.5, 2.5, 2.0)]
    levels = tuple(
        replace(one, observations={**one.observations, ("p99_s", ""): p99})
        for one, p99 in zip(side().levels, wild, strict=True)
    )
    found = compared(side(), replace(side(), levels=levels))

    assert change(found, "p99_s").verdict == "unstable"
    assert found.verdict == "no_change"
    assert any("P99 latency" in text for text in found.recommendations)


def test_a_level_that_one_side_lacks_is_no_data_and_leaves_the_whole_unstable() -> None:
    more = tuple(level("500", f"r{n}") for n in range(6))
    both = replace(side(), levels=(*side().levels, *more))
    found = compared(both, side())

    assert change(found, "throughput_per_s", label="500").verdict == "no_data"
    assert "not measured" in change(found, "throughput_per_s", label="500").why
    assert found.verdict == "unstable"
    assert compared(Side("s", "baseline", "kailash", more), side()).verdict == "no_data"


def test_of_runs_without_a_value_the_first_says_why_and_the_others_are_counted() -> None:
    """Each reason has figures of its own: six of them filled a summary, seven times."""
    levels = tuple(
        level(run=f"r{n}", observations={("avg_s", ""): Observation(None, why_not=f"noisy: {n} %")})
        for n in range(6)
    )
    found = compared(Side("s", "baseline", "kailash", levels), side())
    assert change(found, "avg_s").why == "baseline: noisy: 0 %; 5 more values are missing"


def test_errors_that_appear_are_a_regression_by_their_difference() -> None:
    failing = {("error_ratio", ""): Observation(0.06, samples=5000)}
    found = compared(side(), side(observations=failing))
    errors = change(found, "error_ratio")

    assert (errors.kind, errors.verdict, errors.severity) == ("difference", "regression", "major")
    assert errors.effect == pytest.approx(0.06)
    assert "6 points" in errors.why


def test_a_censored_percentile_decides_only_what_a_larger_value_would_also_decide() -> None:
    bound = {("p99_s", ""): Observation(12.0, samples=5000, is_bound=True)}
    small = {("p99_s", ""): Observation(1.0, samples=5000, is_bound=True)}

    assert change(compared(side(), side(observations=bound)), "p99_s").verdict == "regression"
    assert change(compared(side(), side(observations=small)), "p99_s").verdict == "no_data"
    assert change(compared(side(observations=bound), side()), "p99_s").verdict == "improvement"


def test_pairs_that_share_their_noise_show_what_sides_alone_do_not() -> None:
    """Runs that vary by 20 %, in pairs of which the candidate is always 3 % slower."""
    hours = (0.7, 1.3, 0.9, 1.2, 0.8, 1.1)
    jitter = (1.001, 0.999, 1.0, 1.001, 0.999, 1.0)
    before = tuple(level(run=f"a{n}", times=hour) for n, hour in enumerate(hours))
    after = tuple(
        level(run=f"b{n}", times=hour * 1.03 * more)
        for n, (hour, more) in enumerate(zip(hours, jitter, strict=True))
    )
    one, other = (Side("s", "baseline", "kailash", levels) for levels in (before, after))

    assert compared(one, other).verdict == "unstable"
    assert compared(one, other, paired=True).verdict == "regression"


def test_other_packages_and_overridden_differences_are_named() -> None:
    differences = (
        Difference("packages", "pandas 2.2", "none", under_test=False, despite=False),
        Difference("machine", "a", "b", under_test=False, despite=True),
    )
    texts = "\n".join(compared(side(), side(times=1.3), differences=differences).recommendations)

    assert "one set of packages" in texts
    assert "despite different machine (--despite)" in texts
