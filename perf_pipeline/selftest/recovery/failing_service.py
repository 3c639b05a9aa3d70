"""A service in virtual time that fails as planned, under an open loop: its recovery is known.

Arrivals are a Poisson process, or come evenly. One queue, first come first served, of servers that
each take ``SERVICE_S``. Three failures:

- *errors*: everything fails at once from the failure on, and for ``lag_s`` after it is gone, as
  while a runtime opens its connections again. It recovers ``lag_s`` after it, and the lost service
  is the length of both.
- *freeze*: nothing is served meanwhile. What piled up is served afterwards, at what the servers
  can do beyond the arrivals: response times fall by ``1 - load`` seconds a second, and are as
  before when those that arrive wait no longer. How much piled up is known for even arrivals.
- *storm*: a freeze under clients that give up after ``PATIENCE_S`` and try again. What they gave up
  is served all the same, for nobody. With three retries the attempts are more than the servers
  can do, so that each one waits for longer than its client does, for ever: metastable (Bronson and
  others, "Metastable Failures in Distributed Systems", HotOS 2021). Without retries it drains.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.metrics.records.stored_level import StoredLevel
from perf_pipeline.samples.fault_log import FaultRecord, SignRecord
from perf_pipeline.samples.level_records import SCHEMA, LevelRecords
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.steps.level_steps import IS_COUNT, STEP_DTYPE, LevelSteps

if TYPE_CHECKING:
    from perf_pipeline.metrics.survival.survival_curve import Floats

GO_NS = 1_000_000_000_000
SERVICE_S = 0.02
SERVERS = 2
PATIENCE_S = 0.5
BEFORE_S = 20.0
"""Time before the failure."""

AFTER_S = 40.0
"""Time after it."""


@dataclass(frozen=True)
class Failure:
    """What is planted.

    Attributes:
        length_s: How long it lasts.
        lag_s: How long everything still fails after it; only without ``freezes``.
        freezes: Nothing is served, in place of errors.
        retries: How often clients try again when they have waited ``PATIENCE_S``; None where they
            wait for ever.
        is_sham: Nothing is done and nothing observed, and it is logged all the same.
        is_even: Workflows arrive evenly, and not as a Poisson process.
    """

    length_s: float = 3.0
    lag_s: float = 0.0
    freezes: bool = False
    retries: int | None = None
    is_sham: bool = False
    is_even: bool = False

    @property
    def gone_s(self) -> float:
        """When it is gone, s after the go."""
        return BEFORE_S + self.length_s

    def is_frozen(self, at_s: float) -> bool:
        """Return whether nothing is served at a moment."""
        return self.freezes and not self.is_sham and BEFORE_S <= at_s < self.gone_s

    def fails(self, at_s: float) -> bool:
        """Return whether what arrives at a moment fails at once."""
        until_s = self.gone_s + self.lag_s
        return not (self.freezes or self.is_sham) and BEFORE_S <= at_s < until_s


class PlantedLevel(NamedTuple):
    """A level with a failure.

    Attributes:
        stored: Its records and counts.
        records: The failure's log.
        window_ns: Its steady phase.
    """

    stored: StoredLevel
    records: list[FaultRecord]
    window_ns: tuple[int, int]


class _Served(NamedTuple):
    """How a workflow ended."""

    end_s: float
    outcome: Outcome
    attempts: int


def planted_level(
    failure: Failure, rate_per_s: float, rng: np.random.Generator, after_s: float = AFTER_S
) -> PlantedLevel:
    """Return a level in which a service failed.

    Args:
        failure: How.
        rate_per_s: Arrivals a second; ``SERVERS / SERVICE_S`` is what it can serve.
        rng: Source of randomness.
        after_s: How long the level goes on after the failure.
    """
    length_s = failure.gone_s + after_s
    due_s = np.arange(0.0, length_s, 1 / rate_per_s)
    if not failure.is_even:
        gaps_s = rng.exponential(1 / rate_per_s, 2 * len(due_s))
        due_s = np.cumsum(gaps_s)[: int(np.searchsorted(np.cumsum(gaps_s), length_s))]
    served = _serve(due_s, failure)
    frame = _frame(due_s, served)
    log = {"plan": {"loop": "open", "role": "level", "label": "planted"}}
    steps = _counts([one.attempts for one in served])
    return PlantedLevel(
        stored=StoredLevel(LevelRecords(log=log, workers=(), frame=frame), steps),
        records=[_record(failure)],
        window_ns=(GO_NS, GO_NS + round(length_s * 1e9)),
    )


def recovers_after_s(failure: Failure, rate_per_s: float, limit_s: float) -> float:
    """Return how long after a failure workflows that arrive are answered within a limit again.

    Of a freeze: those that piled up and those that come meanwhile are served at ``capacity`` a
    second, so one that arrives ``t`` after it waits until ``rate (length + t) / capacity`` after
    it.
    """
    if not failure.freezes:
        return failure.lag_s
    load = rate_per_s * SERVICE_S / SERVERS
    waits_s = limit_s - SERVICE_S
    return max(0.0, (load * failure.length_s - waits_s) / (1 - load))


def _serve(due_s: Floats, failure: Failure) -> list[_Served]:
    """Play every attempt in the order in which it reaches the queue."""
    ended: dict[int, _Served] = {}
    free_s = [0.0] * SERVERS
    waiting = [(float(at_s), number, 1) for number, at_s in enumerate(due_s)]
    heapq.heapify(waiting)
    while waiting:
        at_s, number, attempt = heapq.heappop(waiting)
        if failure.fails(at_s):
            ended[number] = _Served(at_s + 0.001, Outcome.ERROR, attempt)
            continue
        start_s = max(at_s, free_s[0])
        if failure.is_frozen(start_s) or failure.is_frozen(start_s + SERVICE_S):
            start_s = max(start_s, failure.gone_s)
        end_s = start_s + SERVICE_S
        heapq.heapreplace(free_s, end_s)
        gives_up_s = at_s + PATIENCE_S
        if failure.retries is None or end_s <= gives_up_s:
            ended[number] = _Served(end_s, Outcome.OK, attempt)
        elif attempt <= failure.retries:
            heapq.heappush(waiting, (gives_up_s, number, attempt + 1))
        else:
            ended[number] = _Served(gives_up_s, Outcome.ERROR, attempt)
    return [ended[number] for number in range(len(due_s))]


def _frame(due_s: Floats, served: list[_Served]) -> pl.DataFrame:
    count = len(served)
    due_ns = GO_NS + np.rint(due_s * 1e9).astype(np.int64)
    outcome = np.array([int(one.outcome) for one in served])
    zero = np.zeros(count, dtype=np.int64)
    given = {
        "number": np.arange(count),
        "intended_start_ns": due_ns,
        "start_ns": due_ns,
        "end_ns": GO_NS + np.rint([one.end_s * 1e9 for one in served]).astype(np.int64),
        "outcome": outcome,
        "error_class": np.where(outcome == int(Outcome.OK), 0, int(ErrorClass.CONNECTION)),
    }
    return pl.DataFrame({name: given.get(name, zero) for name in SCHEMA}).cast(SCHEMA)


def _counts(attempts: list[int]) -> LevelSteps:
    rows = np.zeros(len(attempts), dtype=STEP_DTYPE)
    rows["number"], rows["value"], rows["flags"] = range(len(attempts)), attempts, IS_COUNT
    return LevelSteps(rows, np.zeros(len(rows), dtype=np.int32), names=("attempts",))


def _record(failure: Failure) -> FaultRecord:
    """Return what an injector would have logged, with four observations a second."""
    injecting_ns, gone_ns = (GO_NS + round(at_s * 1e9) for at_s in (BEFORE_S, failure.gone_s))
    acts = not failure.is_sham
    signs = tuple(
        SignRecord(at_ns, acts, float(acts), "acts" if acts else "does nothing")
        for at_ns in range(injecting_ns, gone_ns, 250_000_000)
    )
    return FaultRecord(
        number=0,
        window=FaultWindow("planted", "", BEFORE_S, failure.length_s),
        injecting_ns=injecting_ns,
        in_effect_ns=injecting_ns if acts else None,
        undoing_ns=gone_ns,
        gone_ns=gone_ns,
        signs=signs,
    )
