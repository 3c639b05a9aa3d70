"""A shard that ended, or is silent, is not waited for; in simulated time, and all decide alike."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.errors import ShardMissingError
from perf_pipeline.redaction.redact import remember_secrets
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.shards.attendance import Attendance, present_key
from perf_pipeline.shards.barrier import ShardBarrier
from perf_pipeline.shards.shard_order import ShardOrder
from tests.unit.shards.simulated_redis import EPOCH_NS, Host, SimulatedRedis, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LEVEL = "00-100"
RENEW_S, GONE_S, ARRIVE_S = 0.5, 3.0, 30.0
"""A tenth of the times of a run."""
SCENARIO = Scenario("met", target="control", workloads=(Workload("transformation", "simple"),))


class Met:
    """Shards of one host in simulated time.

    Attributes:
        now_s: The simulated time.
    """

    def __init__(self, count: int, gone_after_s: float = GONE_S) -> None:
        self.world = World()
        self.redis = SimulatedRedis(self.world)
        self.host = Host(self.world, 7_000_000)
        hosts = tuple(f"gen-{each}" for each in range(count))
        self.order = ShardOrder("r-1", hosts, SCENARIO, (), {}, ARRIVE_S, gone_after_s)

    @property
    def now_s(self) -> float:
        return self.world.now_ns / 1e9

    def attendance(self, index: int) -> Attendance:
        return Attendance(
            "redis://shards", self.order, index, notify=pytest.fail, connect=self.redis.connect
        )

    def present(
        self, index: int, until_s: float, silent_s: tuple[float, float] = (0.0, 0.0)
    ) -> Callable[[], None]:
        """Return what renews the presence of a shard, until it is killed."""

        def play() -> None:
            attendance = self.attendance(index)
            while self.now_s < until_s:
                if not silent_s[0] <= self.now_s < silent_s[1]:
                    attendance.renew()
                self.host.sleep(RENEW_S)

        return play

    def meeting(
        self, index: int, at_s: float, level: str = LEVEL
    ) -> Callable[[], tuple[int, float]]:
        """Return what arrives at a time; it returns the agreed start and when it was known."""

        def play() -> tuple[int, float]:
            self.world.wait(at_s * 1e9)
            barrier = ShardBarrier(
                "redis://shards",
                self.order.run_id,
                index,
                self.order.hosts,
                arrive_within_s=self.order.arrive_within_s,
                gone_after_s=self.order.gone_after_s,
                now_ns=self.host.now_ns,
                sleep=self.host.sleep,
                connect=self.redis.connect,
                clock="one",
            )
            return barrier.meet(level), self.now_s

        return play


def test_a_shard_that_is_killed_is_lost_3_s_after_its_last_word_and_all_say_the_same() -> None:
    """Shard 1 of 3 was last heard at 1 s and killed; the others would wait until 30 s."""
    met = Met(3)
    gone = [met.present(1, until_s=1.2), met.present(0, until_s=4), met.present(2, until_s=4)]
    first, second, *_ = met.world.play([met.meeting(0, 0), met.meeting(2, 1.5), *gone])
    assert isinstance(first, ShardMissingError)
    assert str(first) == str(second)
    assert "at level 00-100: shard 1 (gen-1) was here and is not any more: it was last " in str(
        first
    )
    assert "seen 3 s ago" in str(first)
    assert "There: 0 (gen-0), 2 (gen-2)." in str(first)
    assert 4 < met.now_s < 4.6


def test_a_shard_that_arrived_and_is_killed_while_it_waits_is_lost() -> None:
    """It arrived at 0 s, and is killed at once; shard 2 is still making its environment."""
    met = Met(3)

    def killed() -> None:
        met.redis.trip(("hsetnx", (f"perf_pipeline:shards:r-1:{LEVEL}:arrived", "1", "1000")))

    plays = [met.meeting(0, 0.1), killed, met.present(1, until_s=0.1), met.present(2, until_s=20)]
    end, *_ = met.world.play(plays)
    assert isinstance(end, ShardMissingError)
    assert "shard 1 (gen-1) was here and is not any more" in str(end)
    assert "There: 0 (gen-0)." in str(end), "the one that is lost is not there"


def test_who_ended_with_an_error_is_named_with_it_at_once() -> None:
    met = Met(3)

    def fails() -> None:
        met.world.wait(20e9)
        remember_secrets(["hunter-22-moon"])
        met.attendance(1).end("ServiceUnavailableError: postgres refused hunter-22-moon")

    first, second, _ = met.world.play([met.meeting(0, 0), met.meeting(2, 19), fails])
    assert str(first) == str(second)
    assert "shard 1 (gen-1) has ended: ServiceUnavailableError: postgres refused ***." in str(first)
    assert met.now_s < 20.2


def test_who_ended_its_part_is_waited_for_no_more() -> None:
    """Its levels were stopped, so it plays none of those that the other still has."""
    met = Met(2)
    met.attendance(1).end("")
    (end,) = met.world.play([met.meeting(0, 0, "01-500")])
    assert isinstance(end, ShardMissingError)
    assert "at level 01-500: shard 1 (gen-1) has ended its part of the run before." in str(end)


def test_a_slow_first_arrival_and_a_short_silence_are_waited_for() -> None:
    """Shard 1 makes its environment for 25 s; from 10 s to 12 s Redis does not hear of it."""
    met = Met(2)
    present = met.present(0, until_s=25.1), met.present(1, until_s=25.1, silent_s=(10, 12))
    one, other, *_ = met.world.play([met.meeting(0, 0), met.meeting(1, 25), *present])
    assert one[0] == other[0]


def test_one_that_is_heard_again_when_the_others_are_about_to_give_up_is_waited_for() -> None:
    """Shard 1 is silent for 10 s when shard 0 looks, and heard when that asks who is lost."""
    met = Met(2)
    ask, key = met.redis._hgetall, present_key("r-1")

    def heard_again(asked: str) -> dict[str, str]:
        met.redis.values[key] = {"1": EPOCH_NS / 1e9 + met.now_s}
        return ask(asked)

    met.redis.values[key] = {"1": EPOCH_NS / 1e9 - 10}
    met.redis._hgetall = heard_again  # type: ignore[method-assign]
    one, other = met.world.play([met.meeting(0, 0), met.meeting(1, 2)])
    assert one[0] == other[0]


def test_who_never_came_has_all_the_time_to_arrive() -> None:
    met = Met(2)
    end, _ = met.world.play([met.meeting(0, 0), met.present(0, until_s=30)])
    assert "1 of 2 shards did not arrive at level 00-100 within 30 s: 1 (gen-1)" in str(end)
    assert met.now_s > 30


def test_all_start_or_none_when_a_shard_comes_as_it_is_given_up() -> None:
    """100 meetings of three; the last one arrives about 0.6 s after its last word."""
    rng = np.random.default_rng(8)
    kinds = set()
    for _ in range(100):
        met = Met(3, gone_after_s=0.6)
        met.redis.delays_ns = lambda: tuple(rng.uniform(1e5, 2e7, 2))
        times_s = 0.0, rng.uniform(0, 0.1), rng.uniform(0.0, 0.6)
        plays: list[Callable[[], Any]] = [met.meeting(i, s) for i, s in enumerate(times_s)]
        ends = met.world.play([*plays, met.present(2, until_s=0.1)])[:3]
        kind = {type(end) for end in ends}
        assert len(kind) == 1, ends
        kinds |= kind
    assert kinds == {tuple, ShardMissingError}, "both were seen"


def test_one_that_is_started_again_does_not_end_the_first_one() -> None:
    """The second attempt fails for it finds the folder of the first one; that goes on."""
    met = Met(2)

    def twice() -> None:
        first, second = met.attendance(1), met.attendance(1)
        first.renew()
        second.end("RunFolderError: the folder exists")

    one, other, _ = met.world.play([met.meeting(0, 0.5), met.meeting(1, 1), twice])
    assert one[0] == other[0]


def _entered(connect: Callable[[str, float], Any], gone_after_s: float) -> Attendance:
    order = ShardOrder("r-1", ("gen-0",), SCENARIO, (), {}, ARRIVE_S, gone_after_s)
    return Attendance("redis://shards", order, 0, notify=lambda _text: None, connect=connect)


def test_a_shard_is_present_before_its_first_meeting() -> None:
    """It may be killed as soon as that is over; the thread says nothing for 100 s."""
    asked: list[str] = []

    @contextmanager
    def connect(url: str, _timeout_s: float) -> Iterator[Any]:
        asked.append(url)
        raise NotAnsweringError("Connection refused.")
        yield

    with _entered(connect, gone_after_s=600):
        assert asked == ["redis://shards"]


def test_the_thread_goes_on_after_renewals_that_failed() -> None:
    """Redis answers none of the first three."""
    heard, asked = threading.Event(), iter(range(1_000_000))

    @contextmanager
    def connect(_url: str, _timeout_s: float) -> Iterator[Any]:
        if next(asked) >= 3:
            heard.set()
        raise NotAnsweringError("Connection refused.")
        yield

    with _entered(connect, gone_after_s=0.06):
        assert heard.wait(30)


def test_a_redis_that_does_not_hear_of_the_end_is_notified() -> None:
    met = Met(1)
    said: list[str] = []
    met.redis.dies_at_ns = 0
    attendance = Attendance(
        "redis://shards", met.order, 0, notify=said.append, connect=met.redis.connect
    )
    met.world.play([lambda: attendance.end("")])
    assert said == ["the other shards could not be told that this one ended: Connection refused."]
