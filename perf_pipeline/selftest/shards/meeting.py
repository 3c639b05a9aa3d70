"""Many hosts that meet at one real Redis: a thread, a connection and a clock each.

A few of the threads work at a time, the others sleep: a thousand that want the interpreter lock at
once would wait for it, and not for each other at the barrier. The clock of each host is
CLOCK_MONOTONIC of this one and an offset that the barrier does not know. So the true instant at
which each host would start is known.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.shards.barrier import ShardBarrier

if TYPE_CHECKING:
    import numpy as np

    from perf_pipeline.shards.barrier import Met

_WITHIN_S = 120.0
_AT_WORK = 4
_STACK_BYTES = 256 * 1024
_BOOTED_NS = 10**17
"""Hosts were booted at any time of the last three years."""


@dataclass(frozen=True)
class Meeting:
    """How many hosts met, and what came of it.

    Attributes:
        met: Of each host that met the others, what it knows.
        true_go_ns: Likewise, the agreed start in the clock of this host.
        problems: What the others said.
        seconds: From the first arrival to the moment when the last host knew the start.
    """

    met: list[Met]
    true_go_ns: list[int]
    problems: list[str]
    seconds: float

    @property
    def skew_ns(self) -> int:
        """The time between the first start and the last one."""
        return max(self.true_go_ns) - min(self.true_go_ns)

    @property
    def beyond_errors_ns(self) -> list[int]:
        """By how much hosts start further from the first one than their stated errors allow."""
        first, first_ns = self.met[0], self.true_go_ns[0]
        beyond_ns = (
            abs(go_ns - first_ns) - one.error_ns - first.error_ns
            for one, go_ns in zip(self.met, self.true_go_ns, strict=True)
        )
        return [each for each in beyond_ns if each > 0]


def host_of(index: int) -> str:
    """Return the name of a host."""
    return f"gen-{index}"


def clock_of(index: int) -> str:
    """Return the id of the clock of a host."""
    return f"clock-{index}"


def meet(url: str, run_id: str, level: str, count: int, rng: np.random.Generator) -> Meeting:
    """Let hosts meet, each with a connection of its own.

    Args:
        url: Of a Redis.
        run_id: Of a run whose shards never met there.
        level: Folder of its level.
        count: How many.
        rng: Source of their clocks.
    """
    ahead_ns = rng.integers(0, _BOOTED_NS, count).tolist()
    hosts = [host_of(index) for index in range(count)]
    at_work = threading.Semaphore(_AT_WORK)

    def sleep(seconds: float) -> None:
        at_work.release()
        time.sleep(seconds)
        at_work.acquire()

    def arrive(index: int) -> tuple[Met, int] | str:
        barrier = ShardBarrier(
            url,
            run_id,
            index,
            hosts,
            arrive_within_s=_WITHIN_S,
            now_ns=lambda: time.monotonic_ns() + ahead_ns[index],
            sleep=sleep,
            clock=clock_of(index),
        )
        try:
            with at_work:
                go_ns = barrier.meet(level)
        except PerfPipelineError as error:
            return str(error)
        return barrier.met[level], go_ns - ahead_ns[index]

    began_s = time.monotonic()
    before = threading.stack_size(_STACK_BYTES)
    try:
        with ThreadPoolExecutor(count) as threads:
            ends = list(threads.map(arrive, range(count)))
    finally:
        threading.stack_size(before)
    seconds = time.monotonic() - began_s
    met = [end for end in ends if not isinstance(end, str)]
    return Meeting(
        met=[one for one, _ in met],
        true_go_ns=[go_ns for _, go_ns in met],
        problems=[end for end in ends if isinstance(end, str)],
        seconds=seconds,
    )
