"""A neighbour lowers throughput by what it takes; CPU time per workflow it hardly changes.

One level of kailash with lean nodes keeps every core busy. Beside it a planted neighbour takes
turns: for one turn it uses 0, 5, 10, 20 or 40 % of a core, for the turn next to it nothing, in
random order. The ratio of the two turns is its effect; with a share of 0 both are the same (A/A).
Pairs beside a program that nobody planted are left out and counted. Shown for each share: the bias
of throughput and of CPU time per workflow with their 95 % intervals, and the CPU of other programs
as a level counts it, which is the figure that ``noisy_host`` is decided by.
"""

from __future__ import annotations

import logging
import math
import os
import random
import statistics
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.config.scenario.scenario import Workload
from perf_pipeline.metrics.resources.counters import rate_of
from perf_pipeline.metrics.resources.resource_sampler import ResourceSampler
from perf_pipeline.metrics.resources.resource_samples import read_samples
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import COLD, Outcome
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.closed_level import ClosedLevel
from perf_pipeline.selftest.loads.neighbour import Neighbour

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.metrics.resources.resource_samples import Sample

CONCURRENCY = 20
WORKLOAD = Workload("transformation", "medium")
WARM_TURNS = 2
"""Turns at the beginning that are left out."""

MAX_AA_PERCENT = 3.0
"""Bias that two equal sides may show."""

MAX_CPU_BIAS_PERCENT = 5.0
"""By which CPU time per workflow may change beside a neighbour of 40 % of a core."""

MAX_UNPLANTED_PERCENT = 6.0
"""Of all cores: a turn in which other programs used so much more than was planted is disturbed by
a neighbour that nobody planted, and its pair is left out."""

MIN_PAIRS = 3
"""With fewer that are undisturbed there is no value."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """How much is done.

    Attributes:
        shares: Of one core that the neighbour uses, 0 to 1.
        pairs: Turns with and without the neighbour for each share.
        turn_s: Length of a turn, s.
        needs_quiet: Whether throughput is judged and disturbed pairs are left out. At size ci only
            CPU time per workflow is judged, which other programs hardly change, and only a bias
            whose interval ends beyond the limit is one: the CPU time that the kernel counts for a
            short turn scatters by half of itself.
    """

    shares: tuple[float, ...]
    pairs: int
    turn_s: float
    needs_quiet: bool


PLANS = {
    Size.CI: Plan((0.0, 0.4), pairs=8, turn_s=0.3, needs_quiet=False),
    Size.FULL: Plan((0.0, 0.05, 0.1, 0.2, 0.4), pairs=16, turn_s=1.2, needs_quiet=True),
}


@dataclass(frozen=True)
class Turn:
    """What was measured while the neighbour used one share of a core.

    Attributes:
        share: The share, 0 to 1.
        throughput_per_s: Workflows that ended ok per second.
        cpu_s: CPU time of the worker processes per workflow that ended ok.
        others_percent: What other programs used, percent of all cores.
    """

    share: float
    throughput_per_s: float
    cpu_s: float
    others_percent: float

    @property
    def is_disturbed(self) -> bool:
        """Whether a program that was not planted used the machine."""
        planted_percent = 100 * self.share / len(os.sched_getaffinity(0))
        return self.others_percent - planted_percent > MAX_UNPLANTED_PERCENT


def run(size: Size, seed: int) -> list[Figure]:
    """Measure beside every share in turns."""
    plan = PLANS[size]
    order = turn_order(plan, random.Random(seed))
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        turns = _play(plan, order, Path(temporary), seed)
    return [figure for share in plan.shares for figure in _figures(plan, share, turns)]


def turn_order(plan: Plan, rng: random.Random) -> list[float]:
    """Return the neighbour's share in every turn: pairs of turns, one of each pair without it."""
    order: list[float] = []
    for _ in range(plan.pairs):
        for share in rng.sample(plan.shares, len(plan.shares)):
            order += rng.sample((share, 0.0), 2)
    return order


def bias_percent(with_it: list[float], without: list[float]) -> tuple[float, float]:
    """Return the mean of the pairs' ratios - 1 and half its 95 % interval, both in percent.

    Args:
        with_it: A value of the turn with the neighbour, a pair each; at least two.
        without: The value of the turn next to it.
    """
    effects = [100 * (a / b - 1) for a, b in zip(with_it, without, strict=True)]
    t = t_quantile(0.975, len(effects) - 1)
    return statistics.mean(effects), t * statistics.stdev(effects) / math.sqrt(len(effects))


def _play(plan: Plan, order: list[float], folder: Path, seed: int) -> list[Turn]:
    turns = [0.0] * WARM_TURNS + order
    steady_s = plan.turn_s * (len(turns) + 2)
    level = ClosedLevel("kailash", "lean", WORKLOAD, CONCURRENCY, 0.0, steady_s, seed)
    python, lines = level.python(), folder / "resources.jsonl"
    begun = 0
    with Neighbour() as neighbour, ResourceSampler(lines, {}) as monitor:

        def begin_turn(now_ns: int, pids: list[int]) -> None:
            nonlocal begun
            if begun <= len(turns):
                monitor.sample(now_ns, pids)
                neighbour.use(turns[begun] if begun < len(turns) else 0.0)
                begun += 1

        level.play(folder, python, begin_turn, plan.turn_s)
    samples = read_samples(lines, 0, 2**63 - 1)[WARM_TURNS:]
    frame = read_level(folder, 1).frame.filter(
        (pl.col("outcome") == Outcome.OK) & (pl.col("flags") & COLD == 0)
    )
    ended_ns = frame["end_ns"]
    measured = [
        _turn(
            share,
            before,
            after,
            int(((ended_ns >= before["at_ns"]) & (ended_ns < after["at_ns"])).sum()),
        )
        for share, (before, after) in zip(order, pairwise(samples), strict=True)
    ]
    for turn in measured:
        log.info(
            "neighbour %g: %.4g workflows/s, %.4g ms CPU each, others %.1f %%",
            turn.share,
            turn.throughput_per_s,
            1e3 * turn.cpu_s,
            turn.others_percent,
        )
    return measured


def _turn(share: float, before: Sample, after: Sample, ended: int) -> Turn:
    elapsed_s = (after["at_ns"] - before["at_ns"]) / 1e9
    both = [before, after]
    workers, harness = (rate_of(both, role, "cpu_s") for role in ("workers", "harness"))
    if workers is None or harness is None or not ended:
        raise AssertionError("workers and harness live, and end workflows in every turn")
    states = ("busy_s", "iowait_s", "steal_s", "idle_s")
    cores = {name: (after["host"][name] - before["host"][name]) / elapsed_s for name in states}
    others = cores["busy_s"] - workers - harness
    rate = ended / elapsed_s
    return Turn(share, rate, workers / rate, 100 * others / sum(cores.values()))


def _figures(plan: Plan, share: float, turns: list[Turn]) -> list[Figure]:
    pairs = [
        (a, b) if a.share >= b.share else (b, a)
        for a, b in zip(turns[::2], turns[1::2], strict=True)
        if max(a.share, b.share) == share
    ]
    used = [pair for pair in pairs if not plan.needs_quiet or not any(t.is_disturbed for t in pair)]
    name = f"neighbour of {100 * share:g} % of a core"
    found = f"{len(used)} pairs of turns of {plan.turn_s:g} s"
    if len(used) < len(pairs):
        found += f", {len(pairs) - len(used)} left out beside other programs"
    aa, greatest = share == 0.0, share == max(plan.shares)
    rate = _Bias.of(used, lambda turn: turn.throughput_per_s)
    cpu = _Bias.of(used, lambda turn: turn.cpu_s)
    others = statistics.mean(a.others_percent for a, _ in used) if used else None
    cpu_limit = MAX_AA_PERCENT if aa else MAX_CPU_BIAS_PERCENT if greatest else None
    judged_cpu = cpu.distance if plan.needs_quiet else cpu.sure_distance
    return [
        Figure(
            f"{name}: bias of throughput",
            rate.distance if aa else rate.percent,
            "%",
            (MAX_AA_PERCENT if aa else 0.0 if greatest else None) if plan.needs_quiet else None,
            note=f"{rate.text}; {found}",
        ),
        Figure(
            f"{name}: bias of CPU time per workflow",
            judged_cpu if cpu_limit is not None else cpu.percent,
            "%",
            cpu_limit,
            note=cpu.text,
        ),
        Figure(
            f"{name}: CPU of others, as a level counts it",
            others,
            "% of the cores",
            None,
            note="mean of the turns with the neighbour",
        ),
    ]


@dataclass(frozen=True)
class _Bias:
    """Mean effect of a neighbour in percent, with half its 95 % interval; None without pairs."""

    percent: float | None
    half: float | None

    @classmethod
    def of(cls, pairs: list[tuple[Turn, Turn]], value: Callable[[Turn], float]) -> _Bias:
        if len(pairs) < MIN_PAIRS:
            return cls(None, None)
        return cls(*bias_percent([value(a) for a, _ in pairs], [value(b) for _, b in pairs]))

    @property
    def distance(self) -> float | None:
        """The mean effect in either direction."""
        return None if self.percent is None else abs(self.percent)

    @property
    def sure_distance(self) -> float | None:
        """How far from 0 the nearer end of the interval is; 0 where it holds 0."""
        if self.percent is None or self.half is None:
            return None
        return max(0.0, abs(self.percent) - self.half)

    @property
    def text(self) -> str:
        if self.percent is None:
            return f"fewer than {MIN_PAIRS} undisturbed pairs"
        return f"{self.percent:+.2f} +- {self.half:.2f} %"
