"""The failures that a rate and types mean: how much of the time, where, and always the same."""

from __future__ import annotations

from itertools import pairwise

import pytest

from perf_pipeline.compat.failure_plan import DEFAULT_TYPES, failure_windows

SERVERS = {"postgres", "redis"}


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.3, 0.5])
def test_failures_are_in_effect_for_the_share_of_time_that_is_asked_for(rate: float) -> None:
    windows = failure_windows(rate, DEFAULT_TYPES, SERVERS, 300, seed=1)

    assert sum(window.duration_s for window in windows) == pytest.approx(300 * rate, rel=0.01)
    assert windows[0].at_s >= 0
    assert windows[-1].end_s <= 300.01
    assert all(one.end_s <= other.at_s + 0.01 for one, other in pairwise(windows))


def test_types_take_turns_on_the_servers_that_are_used() -> None:
    windows = failure_windows(0.05, DEFAULT_TYPES, {"redis"}, 240, seed=1)

    assert [(window.kind, window.server) for window in windows] == [
        ("database_timeout", "redis"),
        ("memory_pressure", ""),
        ("connection_exhaustion", "redis"),
    ]


def test_the_same_seed_gives_the_same_failures() -> None:
    one, again, other = (
        failure_windows(0.05, DEFAULT_TYPES, SERVERS, 300, seed=seed) for seed in (1, 1, 2)
    )
    assert one == again != other


def test_what_is_shorter_than_the_shortest_failure_is_none() -> None:
    assert failure_windows(0.05, DEFAULT_TYPES, SERVERS, 5, seed=1) == ()
    assert failure_windows(0, DEFAULT_TYPES, SERVERS, 5000, seed=1) == ()
