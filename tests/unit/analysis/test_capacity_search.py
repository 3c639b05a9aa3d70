"""The search ends at the true capacity, in few steps, and never calls doubt an answer."""

from __future__ import annotations

import math
import random

import pytest

from perf_pipeline.analysis.capacity_search import Answer, Ask, CapacitySearch, search
from perf_pipeline.config.scenario.capacity_question import MAX_STEPS, RESOLUTION, Space

RATES = Space(start=10, minimum=0.1, maximum=1e5, whole=False)
LEVELS = Space(start=10, minimum=1, maximum=4000, whole=True)
MET, MISSED = Answer("met"), Answer("missed", "too slow")


def _search(space: Space, truth: float) -> CapacitySearch:
    return search(space, lambda ask: MET if ask.load <= truth else MISSED)


@pytest.mark.parametrize("seed", range(20))
def test_a_rate_up_to_a_thousand_times_the_first_is_found_within_two_percent(seed: int) -> None:
    """The last good and the first bad one have the truth between them, in at most 12 steps."""
    truth = 10 * 1000 ** random.Random(seed).random()

    found = _search(RATES, truth)

    assert len(found.steps) <= MAX_STEPS
    assert found.last_good is not None
    assert found.first_missed is not None
    assert found.last_good <= truth < found.first_missed
    if truth < 10 * 4**5:
        assert found.first_missed / found.last_good <= 1.025  # what 12 steps leave at most


@pytest.mark.parametrize("truth", [1, 2, 3, 9, 10, 11, 57, 100, 399, 640, 641, 1600])
def test_a_number_in_flight_is_found_exactly_or_within_two_percent(truth: int) -> None:
    found = _search(LEVELS, truth)

    assert len(found.steps) <= MAX_STEPS
    assert all(float(step.load).is_integer() for step in found.steps)
    assert found.last_good is not None
    assert truth / (1 + RESOLUTION) - 1 < found.last_good <= truth


def test_the_greatest_load_allowed_ends_the_search_and_is_tried_itself() -> None:
    found = _search(LEVELS, 1e9)

    assert found.last_good == LEVELS.maximum
    assert found.first_bad is None


def test_where_even_the_least_load_misses_nothing_is_good() -> None:
    found = _search(LEVELS, 0)

    assert found.last_good is None
    assert found.first_missed == LEVELS.minimum


def test_a_step_that_does_not_decide_is_played_longer_once_and_then_does_not_meet() -> None:
    """Loads from 90 to 110 are unclear: the capacity is below, the smallest that missed above."""
    asked: list[Ask] = []

    def play(ask: Ask) -> Answer:
        asked.append(ask)
        if 90 <= ask.load <= 110:
            return Answer("unclear", "the interval contains the limit")
        return MET if ask.load < 90 else MISSED

    found = search(RATES, play)

    unclear = [ask for ask in asked if 90 <= ask.load <= 110]
    assert unclear
    assert [ask.longer for ask in unclear] == [False, True] * (len(unclear) // 2)
    assert found.last_good is not None
    assert 90 / (1 + RESOLUTION) ** 2 <= found.last_good < 90
    assert found.first_missed is not None
    assert 110 < found.first_missed <= 110 * 1.06
    assert found.first_bad is not None
    assert found.first_bad < 110
    assert len(found.steps) <= MAX_STEPS


def test_steps_that_are_left_bring_the_load_that_missed_near_to_the_unclear_ones() -> None:
    """113 missed on the way; 96 and more miss, so one that does is found within 6 %."""

    def play(ask: Ask) -> Answer:
        if 88 <= ask.load <= 96:
            return Answer("unclear", "the interval contains the limit")
        return MET if ask.load < 88 else MISSED

    found = search(RATES, play)

    assert found.first_missed is not None
    assert 96 < found.first_missed <= 96 * 1.06
    assert len(found.steps) <= MAX_STEPS


def test_a_longer_playing_that_decides_counts_alone() -> None:
    def play(ask: Ask) -> Answer:
        if not ask.longer and 30 < ask.load < 50:
            return Answer("not_steady", "Little's law does not hold")
        return MET if ask.load <= 60 else MISSED

    found = search(RATES, play)

    assert found.last_good == pytest.approx(60, rel=RESOLUTION)


def test_a_known_ceiling_saves_steps() -> None:
    """An overloaded queue tells how much leaves it: less than that is tried next."""
    truth = 95.0

    def play(ask: Ask) -> Answer:
        return MET if ask.load <= truth else Answer("missed", "grew", ceiling=min(ask.load, 100))

    with_ceiling = search(RATES, play)
    without = _search(RATES, truth)

    assert len(with_ceiling.steps) < len(without.steps)
    assert with_ceiling.last_good == pytest.approx(truth, rel=RESOLUTION)


def test_the_search_is_a_value_that_can_be_replayed_from_its_answers() -> None:
    """A killed run's steps give the same next step as the search that was interrupted."""
    ended = _search(LEVELS, 57)
    replayed = CapacitySearch(LEVELS)
    for step in ended.steps:
        assert replayed.next() == Ask(step.load)
        replayed = replayed.with_answer(Ask(step.load), step.answer)

    assert replayed == ended
    assert replayed.next() is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 0.5},
        {"start": 5000},
        {"minimum": 0},
        {"maximum": math.inf},
        {"growth": 1.0},
        {"max_steps": 0},
    ],
)
def test_a_space_in_which_nothing_can_be_searched_is_refused(wrong: dict[str, float]) -> None:
    values = {"start": 10.0, "minimum": 1.0, "maximum": 4000.0, "whole": True, **wrong}

    with pytest.raises(ValueError, match=r"minimum|max_steps"):
        Space(**values)  # type: ignore[arg-type]
