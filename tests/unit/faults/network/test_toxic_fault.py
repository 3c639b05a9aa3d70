"""What a comparison of the paths through a proxy and past it says about a delay."""

from __future__ import annotations

import pytest

from perf_pipeline.faults.fault import FaultRefusedError, Place, Sign
from perf_pipeline.faults.network import toxic_fault
from perf_pipeline.faults.network.path import Trip
from perf_pipeline.faults.network.proxied_server import Trips
from perf_pipeline.faults.network.toxic_fault import ToxicFault, delay_sign

NEEDED_S = 0.025
"""Of a latency of 50 ms."""


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
        (answered(1), open_for(36), True),
        (answered(1), open_for(20), False),
    ],
)
def test_a_delay_is_what_the_path_adds_and_not_how_slow_the_server_is(
    direct: Trip, through: Trip, *, in_effect: bool
) -> None:
    assert delay_sign(Trips(direct, through), NEEDED_S).in_effect is in_effect


def test_the_exchange_that_ended_meanwhile_gives_the_figure() -> None:
    """A sign does not wait for the whole delay; the next one reads how long it was."""
    sign = delay_sign(Trips(answered(1), open_for(36), earlier=answered(51.5)), NEEDED_S)
    assert sign.in_effect
    assert sign.text == "answers come 50.5 ms later than past the proxy"


def test_with_jitter_the_later_of_two_exchanges_counts() -> None:
    sign = delay_sign(Trips(answered(1), answered(5), earlier=answered(80)), NEEDED_S)
    assert sign.in_effect


def test_a_long_delay_is_seen_before_it_is_over() -> None:
    sign = delay_sign(Trips(answered(1), open_for(91)), 0.08)
    assert sign.in_effect
    assert sign.text == "answers come at least 90.0 ms later than past the proxy"


def test_nothing_is_said_about_the_path_to_a_server_that_does_not_answer() -> None:
    sign = delay_sign(Trips(open_for(400)), NEEDED_S)
    assert not sign.in_effect
    assert "the server itself does not answer" in sign.text


def test_a_connection_that_broke_is_no_delay() -> None:
    broken = Trip(0.0, is_answered=False, error="reset by peer")
    sign = delay_sign(Trips(answered(1), broken, earlier=answered(90)), NEEDED_S)
    assert not sign.in_effect
    assert "reset by peer" in sign.text


class NoServer:
    """Stands for a server with its proxy: everything is found."""

    proxy = "redis"

    def __init__(self, place: Place) -> None:
        """Find it."""


class Signs(ToxicFault):
    """A failure whose signs before it is injected are given."""

    def __init__(self, found: list[bool]) -> None:
        super().__init__(None, "network_latency", [])  # type: ignore[arg-type]
        self.found = found

    def sign(self) -> Sign:
        return Sign(self.found.pop(0), 31.0, "answers come 31.0 ms later than past the proxy")


@pytest.mark.parametrize(("seen", "is_refused"), [(0, False), (2, False), (3, True), (6, True)])
def test_a_failure_that_is_seen_before_it_is_there_is_refused(
    seen: int,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_refused: bool,
) -> None:
    """Of six observations on a busy machine: such evidence would be there without the failure."""
    monkeypatch.setattr(toxic_fault, "ProxiedServer", NoServer)
    fault = Signs([True] * seen + [False] * (6 - seen))
    if not is_refused:
        fault.preflight()
        return
    with pytest.raises(FaultRefusedError, match=rf"{seen} of 6 .* 31.0 ms later"):
        fault.preflight()
