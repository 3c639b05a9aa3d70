"""Counts and buckets are those of counting one by one."""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise

import pytest

from perf_pipeline.monitoring.level_counts import BOUNDS_S, LevelCounts
from perf_pipeline.samples.record import NOT_STARTED, RECORD, ErrorClass, Outcome

N = 5000


def records(seed: int) -> list[tuple[int, ...]]:
    """Records of three kinds, of every outcome, with times over nine decades."""
    chance = random.Random(seed)
    made = []
    for number in range(N):
        intended = 10**15 + number
        outcome = chance.choice(list(Outcome))
        error = chance.choice(list(ErrorClass)[1:]) if outcome == Outcome.ERROR else ErrorClass.NONE
        lag, took = (round(10 ** chance.uniform(2, 11)) for _ in range(2))
        flags = NOT_STARTED if outcome == Outcome.DROPPED else 0
        start = intended + lag
        end = start if flags else start + took
        made.append((number, intended, start, end, 7, chance.randrange(3), outcome, error, flags))
    return made


@pytest.mark.parametrize("block", [1, 17, N])
def test_counts_are_those_of_counting_one_by_one_whatever_the_blocks(block: int) -> None:
    made, counts = records(block), LevelCounts()
    for first in range(0, N, block):
        counts.take(b"".join(RECORD.pack(*one) for one in made[first : first + block]))
    assert counts.completed == Counter((one[5], one[6]) for one in made)
    assert counts.errors == Counter(one[7] for one in made if one[6] == Outcome.ERROR)
    known = [one for one in made if one[6] != Outcome.ABANDONED]
    for kind in range(3):
        expected_ns = [one[3] - one[1] for one in known if one[5] == kind]
        assert counts.response[kind].counts.cumsum().tolist() == _cumulative(expected_ns)
        assert counts.response[kind].sum_s == pytest.approx(sum(expected_ns) / 1e9)
    started = [one for one in made if not one[8]]
    service_ns = [one[3] - one[2] for one in started if one[6] != Outcome.ABANDONED]
    assert counts.service.counts.cumsum().tolist() == _cumulative(service_ns)
    lags_ns = [one[2] - one[1] for one in started]
    assert counts.start_lag.counts.cumsum().tolist() == _cumulative(lags_ns)


def _cumulative(times_ns: list[int]) -> list[int]:
    return [sum(ns < bound * 1e9 for ns in times_ns) for bound in BOUNDS_S] + [len(times_ns)]


def test_no_bucket_is_wider_than_a_quarter_of_its_lower_end() -> None:
    widths = [above / below for below, above in pairwise(BOUNDS_S)]
    assert max(widths) == pytest.approx(1.25)
    assert BOUNDS_S[0] < 0.0011
    assert BOUNDS_S[-1] > 30
