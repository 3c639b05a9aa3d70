"""What a comparison of the paths through a proxy and past it says about a delay."""

from __future__ import annotations

import pytest

from perf_pipeline.faults.network.path import Trip
from perf_pipeline.faults.network.toxic_fault import delay_sign


def answered(took_ms: float) -> Trip:
    return Trip(took_ms / 1e3, is_answered=True)


def open_for(took_ms: float) -> Trip:
    return Trip(took_ms / 1e3, is_answered=False)


@pytest.mark.parametrize(
    ("direct", "through", "in_effect"),
    [
        (answered(1), answered(51), True),
        (answered(1), answered(1.1), False),
        (answered(40), answered(42), False),  # the server is slow, the path is not
        (answered(40), answered(90), True),
        (answered(1), open_for(26.5), True),
        (answered(1), open_for(20), False),
    ],
)
def test_a_delay_is_what_the_path_adds_and_not_how_slow_the_server_is(
    direct: Trip, through: Trip, *, in_effect: bool
) -> None:
    assert delay_sign(direct, through, needed_s=0.025).in_effect is in_effect


def test_a_delay_of_a_minute_is_seen_before_the_minute_is_over() -> None:
    sign = delay_sign(answered(1), open_for(160), needed_s=30)
    assert sign.in_effect
    assert sign.text == "answers come at least 159.0 ms later than past the proxy"


def test_nothing_is_said_about_the_path_to_a_server_that_does_not_answer() -> None:
    sign = delay_sign(open_for(400), None, needed_s=0.025)
    assert not sign.in_effect
    assert "the server itself does not answer" in sign.text


def test_a_connection_that_broke_is_no_delay() -> None:
    broken = Trip(0.0, is_answered=False, error="reset by peer")
    sign = delay_sign(answered(1), broken, needed_s=0.025)
    assert not sign.in_effect
    assert "reset by peer" in sign.text
