"""The search for the first bad release, on releases whose truth is planted."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from perf_pipeline.bisect.answer import answer_of, worsened
from perf_pipeline.bisect.search import (
    EFFORTS,
    MAX_UNDECIDED,
    MAX_WIDTH,
    WIDTH,
    find_first_bad,
)
from tests.unit.bisect.planted import METRIC, Planted, comparison, gaussian


def releases(count: int) -> list[str]:
    return [f"2.{number}.0" for number in range(count)]


def stepped(names: list[str], first_bad: int, size: float = 1.39) -> dict[str, float]:
    return {name: 1.0 if at < first_bad else size for at, name in enumerate(names)}


@pytest.mark.parametrize("count", [2, 3, 4, 7, 8, 9, 33, 100])
def test_every_first_bad_release_is_named_with_at_most_log2_n_plus_1_comparisons(
    count: int,
) -> None:
    names = releases(count)
    for first_bad in range(1, count):
        planted = Planted(stepped(names, first_bad))
        found = find_first_bad(names, planted, METRIC)
        assert found.outcome == "found"
        assert (found.last_good, found.first_bad) == (names[first_bad - 1], names[first_bad])
        assert found.comparisons == planted.asked.total() <= math.ceil(math.log2(count)) + 1
        assert max(planted.asked.values()) == 1


def test_the_first_of_two_regressions_and_an_improvement_is_the_first_that_is_worse() -> None:
    """As kailash from 2.17.0: faster at first, then slower than the good one, then slower again."""
    names = releases(32)
    cost = {name: 1.0 if at == 0 else 0.87 if at < 9 else 1.14 for at, name in enumerate(names)}
    cost |= dict.fromkeys(names[20:], 1.2)
    assert find_first_bad(names, Planted(cost), METRIC).first_bad == names[9]


def test_a_release_that_is_a_little_slower_is_not_taken_for_the_one_that_doubled_the_time() -> None:
    """2.5.0 is 3 % slower, and certainly so; 2.20.0 is where the time doubled."""
    names = releases(32)
    cost = {name: 1.0 if at < 5 else 1.03 if at < 20 else 2.0 for at, name in enumerate(names)}
    assert find_first_bad(names, Planted(cost), METRIC).first_bad == names[20]
    limit = math.log(1.015)
    assert find_first_bad(names, Planted(cost), METRIC, limit=limit).first_bad == names[5]


def test_no_comparison_is_more_precise_than_the_change_needs() -> None:
    """Nine times as slow: 20 % to either side tell good from bad; 8 % slower: 3 %, as at first."""
    names = releases(32)
    great, small = Planted(stepped(names, 9, size=9.0)), Planted(stepped(names, 9, size=1.08))
    for planted in (great, small):
        assert find_first_bad(names, planted, METRIC).first_bad == names[9]
    assert great.widths[0] == small.widths[0] == WIDTH
    assert set(great.widths[1:]) == {MAX_WIDTH}
    assert set(small.widths[1:]) == {WIDTH}


def test_a_newest_release_that_is_no_worse_ends_the_search_after_one_comparison() -> None:
    names = releases(50)
    planted = Planted(dict.fromkeys(names, 1.0))
    found = find_first_bad(names, planted, METRIC)
    assert found.outcome == "no_regression"
    assert found.comparisons == 1
    assert (found.last_good, found.first_bad, found.between) == ("", "", ())


def test_an_unstable_comparison_is_repeated_with_a_greater_effort() -> None:
    """At the first effort the interval is 1.39 -/+ 40 %, which decides nothing."""
    names = releases(9)
    planted = Planted(
        stepped(names, 5), half_width=lambda _, effort: {1: 0.4, 2: 0.35, 4: 0.04}[effort]
    )
    found = find_first_bad(names, planted, METRIC)
    assert found.first_bad == names[5]
    assert planted.efforts[: len(EFFORTS)] == list(EFFORTS)
    assert [len(one.comparisons) for one in found.asked] == [len(EFFORTS)] * len(found.asked)


def test_a_release_that_stays_undecided_makes_the_result_a_range_and_no_single_release() -> None:
    """2.5.0 is worse by half of the whole change, which is the limit: no effort decides it."""
    names = releases(9)
    cost = stepped(names, 6) | {names[5]: math.sqrt(1.39)}
    found = find_first_bad(names, Planted(cost), METRIC)
    assert found.outcome == "range"
    assert (found.last_good, found.first_bad, found.between) == (names[4], names[6], (names[5],))
    assert f"one of 2, from {names[5]} to {names[6]}" in found.why


def test_many_undecided_releases_end_the_search_before_they_cost_every_effort() -> None:
    names = releases(64)
    cost = stepped(names, 60) | dict.fromkeys(names[1:60], math.sqrt(1.39))
    planted = Planted(cost)
    found = find_first_bad(names, planted, METRIC)
    assert found.outcome == "range"
    undecided = [one for one in found.asked if one.answer == "undecided"]
    assert len(undecided) == MAX_UNDECIDED + 1


def test_releases_that_cannot_be_measured_are_passed_over_and_named() -> None:
    names = releases(40)
    broken = dict.fromkeys(names[15:25], "it does not install")
    for first_bad in (3, 14, 15, 20, 26, 39):
        planted = Planted(stepped(names, first_bad), broken)
        found = find_first_bad(names, planted, METRIC)
        assert not set(planted.asked) & set(broken)
        assert {one.release for one in found.skipped} <= set(broken)
        assert all(one.why == "it does not install" for one in found.skipped)
        if 15 <= first_bad <= 25:
            assert found.outcome == "range"
            assert (found.last_good, found.first_bad) == (names[14], names[25])
        else:
            assert found.first_bad == names[first_bad]


def test_around_releases_that_cannot_be_measured_the_search_looks_far_from_them() -> None:
    """A block of 60 of 100 in the middle: neighbours of what failed fail as well."""
    names = releases(101)
    planted = Planted(stepped(names, 90), dict.fromkeys(names[20:80], "it does not install"))
    found = find_first_bad(names, planted, METRIC)
    assert found.first_bad == names[90]
    assert len(found.skipped) <= 8


@pytest.mark.parametrize("end", [0, -1])
def test_an_end_of_the_range_that_cannot_be_measured_ends_the_search(end: int) -> None:
    names = releases(5)
    planted = Planted(stepped(names, 2), {names[end]: "no such wheel"})
    found = find_first_bad(names, planted, METRIC)
    assert found.outcome == "unavailable"
    assert names[end] in found.why
    assert "no such wheel" in found.why
    assert not planted.asked


def test_a_newest_release_that_stays_undecided_names_nothing() -> None:
    names = releases(5)
    found = find_first_bad(names, Planted(stepped(names, 2, size=1.05)), METRIC)
    assert found.outcome == "undecided"
    assert found.comparisons == len(EFFORTS)
    assert found.first_bad == ""


def test_with_noise_the_planted_release_is_named_and_what_is_not_is_a_range_around_it() -> None:
    """300 searches among 33 releases, with intervals of 6 % that miss the truth in 1 of 100.

    About 7 comparisons a search, so a wrong answer in at most 7 % of them; those that miss by less
    than the distance to the limit do no harm.
    """
    rng = random.Random(14)
    names = releases(33)
    wrong = ranges = 0
    for _ in range(300):
        first_bad = rng.randrange(1, 33)
        planted = Planted(
            stepped(names, first_bad, size=1.2),
            half_width=lambda _, effort: 0.06 / math.sqrt(effort),
            draw=gaussian(rng),
        )
        found = find_first_bad(names, planted, METRIC)
        if found.outcome == "found":
            wrong += found.first_bad != names[first_bad]
        elif found.outcome == "range":
            ranges += 1
            wrong += names[first_bad] not in (*found.between, found.first_bad)
    assert wrong <= 6
    assert ranges <= 30


def test_no_value_of_the_metric_is_no_answer() -> None:
    """Memory got worse; the metric that decides has no data, or is not there at all."""
    without = comparison("c", None, 0.0, "no_data")
    assert answer_of(without, METRIC, "2.1.0", ("c",), None).answer == "undecided"
    assert answer_of(without, METRIC, "2.1.0", ("c",), 0.1).answer == "undecided"
    missing = answer_of(without, "p99_s", "2.1.0", ("c",), None)
    assert missing.answer == "undecided"
    assert missing.why == "p99_s was not measured"


def test_of_throughput_less_is_worse() -> None:
    """Half of the throughput is as bad as twice the time."""
    (change, _) = comparison("c", 0.5, 0.01, "regression").changes
    change = replace(change, metric="throughput_per_s", higher_is_better=True)
    found = replace(comparison("c", 0.5, 0.01, "regression"), changes=(change,))
    for limit, answer in ((0.6, "bad"), (0.8, "good"), (math.log(2), "undecided")):
        asked = answer_of(found, "throughput_per_s", "2.1.0", ("c",), limit)
        assert asked.answer == answer
    assert worsened(asked, "throughput_per_s") == pytest.approx(math.log(2))
