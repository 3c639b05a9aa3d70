"""What each toxic does to the pieces of one direction, on virtual time."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.faults.proxy.stages import STAGES
from perf_pipeline.faults.proxy.toxics import Toxic

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.faults.proxy.stages import Piece, Stage


class VirtualLoop(asyncio.AbstractEventLoop):
    """Keeps a time of its own, and calls timers when it is moved on."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now_s

    def call_at(self, when: float, callback: Callable[..., object], *args: Any) -> Any:  # type: ignore[override]
        handle = asyncio.TimerHandle(when, callback, args, self)
        self._timers.append(handle)
        return handle

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Any:  # type: ignore[override]
        return self.call_at(self.now_s + delay, callback, *args)

    def get_debug(self) -> bool:
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        if handle in self._timers:
            self._timers.remove(handle)

    def move_to(self, end_s: float) -> None:
        """Call every timer that is due until then, in its order."""
        while due := [one for one in self._timers if one.when() <= end_s]:
            first = min(due, key=lambda one: one.when())
            self._timers.remove(first)
            self.now_s = first.when()
            first._run()
        self.now_s = end_s


class Owner:
    """The direction of a connection, which notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.choices: list[dict[str, float]] = []

    def close_connection(self) -> None:
        self.asked.append("close")

    def reset_connection(self) -> None:
        self.asked.append("reset")

    def note(self, toxic: Toxic, **choice: float) -> None:
        del toxic
        self.choices.append(choice)


class Bench:
    """A stage with what it passed on, and when (in ms)."""

    def __init__(self, kind: str, **attributes: int) -> None:
        self.loop = VirtualLoop()
        self.owner = Owner()
        self.passed: list[tuple[float, Piece]] = []
        toxic = Toxic("t", kind, "downstream", 1.0, attributes)
        self.stage: Stage = STAGES[kind](toxic, self.owner, random.Random(1), self.loop)
        self.stage.pass_on = lambda piece: self.passed.append(
            (round(1e3 * self.loop.now_s, 6), piece)
        )


def test_latency_delays_each_piece_from_its_own_arrival() -> None:
    """Two pieces 10 ms apart leave 10 ms apart: the second does not wait behind the first."""
    bench = Bench("latency", latency=50, jitter=0)
    bench.stage.take(b"a")
    bench.loop.move_to(0.010)
    bench.stage.take(b"b")
    assert bench.stage.buffered_bytes == 2
    bench.loop.move_to(1)
    assert bench.passed == [(50, b"a"), (60, b"b")]
    assert bench.stage.buffered_bytes == 0


def test_jitter_stays_within_its_bounds_and_keeps_the_order() -> None:
    bench = Bench("latency", latency=50, jitter=20)
    for number in range(200):
        bench.stage.take(number.to_bytes(2, "big"))
        bench.loop.move_to(bench.loop.now_s + 0.001)
    bench.loop.move_to(2)
    assert [piece for _, piece in bench.passed] == [n.to_bytes(2, "big") for n in range(200)]
    delays = [choice["delay_ms"] for choice in bench.owner.choices]
    assert len(delays) == 200
    assert 30 <= min(delays) < 35
    assert 65 < max(delays) <= 70


def test_the_end_of_the_data_does_not_overtake_the_data() -> None:
    bench = Bench("latency", latency=50, jitter=40)
    for piece in (b"a", b"b", None):
        bench.stage.take(piece)
    bench.loop.move_to(1)
    assert [piece for _, piece in bench.passed] == [b"a", b"b", None]


def test_a_bandwidth_passes_so_many_bytes_a_millisecond() -> None:
    """64 KB/s: 12,800 bytes take 200 ms, in two slices of 100 ms; the next ones wait for them."""
    bench = Bench("bandwidth", rate=64)
    bench.stage.take(bytes(12_800))
    bench.stage.take(b"x" * 64)
    bench.loop.move_to(1)
    assert [(at_ms, len(piece or b"")) for at_ms, piece in bench.passed] == [
        (100, 6400),
        (200, 6400),
        (201, 64),
    ]


def test_a_bandwidth_that_was_idle_saves_nothing_up() -> None:
    bench = Bench("bandwidth", rate=1)
    bench.loop.move_to(5)
    bench.stage.take(bytes(100))
    bench.loop.move_to(6)
    assert bench.passed == [(5100, bytes(100))]


def test_a_bandwidth_of_nothing_passes_nothing_on_until_it_ends() -> None:
    bench = Bench("bandwidth", rate=0)
    bench.stage.take(b"a")
    bench.loop.move_to(1000)
    assert bench.passed == []
    bench.stage.end(toxic_is_removed=True)
    assert [piece for _, piece in bench.passed] == [b"a"]


def test_a_slicer_cuts_into_parts_whose_sizes_it_writes_down() -> None:
    bench = Bench("slicer", average_size=100, size_variation=50, delay=1000)
    data = random.Random(0).randbytes(5000)
    bench.stage.take(data)
    bench.loop.move_to(10)
    assert b"".join(piece or b"" for _, piece in bench.passed) == data
    sizes = [len(piece or b"") for _, piece in bench.passed]
    assert all(50 <= size <= 150 for size in sizes[:-1])
    assert len(set(sizes)) > 5
    assert [at_ms for at_ms, _ in bench.passed] == list(range(len(sizes)))
    assert [choice["part_bytes"] for choice in bench.owner.choices][:-1] == sizes[:-1]


def test_a_slow_close_delays_the_end_alone() -> None:
    bench = Bench("slow_close", delay=300)
    bench.stage.take(b"a")
    bench.stage.take(None)
    bench.loop.move_to(1)
    assert bench.passed == [(0, b"a"), (300, None)]


@pytest.mark.parametrize("is_removed", [True, False])
def test_a_timeout_drops_data_and_closes_the_connection_in_the_end(*, is_removed: bool) -> None:
    """What was dropped never comes, so that a connection must not go on without it."""
    bench = Bench("timeout", timeout=0 if is_removed else 40)
    bench.stage.take(b"a")
    bench.loop.move_to(0.039)
    assert bench.owner.asked == []
    if is_removed:
        bench.stage.end(toxic_is_removed=True)
    bench.loop.move_to(0.041)
    assert (bench.owner.asked, bench.passed) == (["close"], [])


def test_a_reset_waits_for_the_first_data() -> None:
    bench = Bench("reset_peer", timeout=10)
    bench.loop.move_to(1)
    assert bench.owner.asked == []
    bench.stage.take(b"a")
    bench.stage.take(b"b")
    bench.loop.move_to(2)
    assert (bench.owner.asked, bench.passed) == (["reset"], [])


def test_a_limit_passes_exactly_its_bytes_on_and_closes() -> None:
    bench = Bench("limit_data", bytes=5)
    bench.stage.take(b"abc")
    assert bench.owner.asked == []
    bench.stage.take(b"defg")
    assert b"".join(piece or b"" for _, piece in bench.passed) == b"abcde"
    assert bench.owner.asked == ["close"]


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", {"latency": 3_600_000, "jitter": 0}),
        ("bandwidth", {"rate": 1}),
        ("slicer", {"average_size": 2, "size_variation": 1, "delay": 1_000_000}),
        ("slow_close", {"delay": 60_000}),
    ],
)
def test_what_a_removed_toxic_held_is_passed_on_at_once_and_whole(
    kind: str, attributes: dict[str, int]
) -> None:
    """A delay must not become a loss when it ends."""
    bench = Bench(kind, **attributes)
    bench.stage.take(b"abcdefgh")
    bench.stage.take(None)
    bench.stage.end(toxic_is_removed=True)
    pieces = [piece for _, piece in bench.passed]
    assert b"".join(piece or b"" for piece in pieces) == b"abcdefgh"
    assert pieces[-1] is None
    assert bench.stage.buffered_bytes == 0
    bench.loop.move_to(10_000)
    assert len(bench.passed) == len(pieces)
