"""Ratio of the engine's rate to that of a bare loop, from several instances of both.

An instance is a pair of loads that take turns. Instances of the same kind differ by more than the
turns of one of them (another memory layout, another order in which threads get the interpreter
lock), so with several the interval is that of the mean over instances, as pyperf does it with
processes; with one it is that over its pairs of turns.

Within an instance both sides are compared over the same work, from the same node to the same node
since their start, and over whole turnovers: the nodes of a workflow differ in cost, the workflows
of a load begin together, and at 1000 in flight a turnover takes a quarter of a minute. In a part of
a turnover the average cost of a node goes by how far that side has come, and the engine, which
begins first, is further.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.selftest.figure import Figure
from perf_pipeline.workload.transformation import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perf_pipeline.config.scenario.scenario import Nodes
    from perf_pipeline.selftest.loads.taking_turns import Turn

MAX_RATIO = 1.03
"""An engine that is faster than the bare loop is compared unfairly."""

Played = tuple[list["Turn"], list["Turn"]]
"""The turns of the engine that count, and as many of the bare loop: one instance."""


@dataclass(frozen=True)
class Compared:
    """One comparison of the engine with the bare loop.

    Attributes:
        nodes: How the workflows are written.
        concurrency: Workflows in flight of each side.
        loops: ``closed``, and ``open``: more workflows arrive than can be executed.
        turn_s: Length of a turn.
        warm: Turns of each side of an instance that are left out.
        pairs: Turns of each side of an instance that count.
        instances: How many pairs of loads of each loop are started, one after the other.
        min_ratio: Minimum of the lower end of the 95 % interval of the ratio: what is proven.
        goal: The interval must reach it, and must not lie above ``MAX_RATIO``.
        by_clock: Whether the ratio of throughputs is judged, or that of nodes per CPU second.
        workflow_nodes: Nodes of one workflow.
    """

    nodes: Nodes
    concurrency: int
    loops: tuple[str, ...]
    turn_s: float
    warm: int
    pairs: int
    instances: int
    min_ratio: float
    goal: float
    by_clock: bool
    workflow_nodes: int = len(STAGES["medium"])

    @property
    def turnover_nodes(self) -> int:
        """Nodes that are executed while as many workflows end as are in flight."""
        return self.concurrency * self.workflow_nodes

    @property
    def name(self) -> str:
        """The comparison, for people."""
        return f"kailash, {self.nodes} nodes, {self.concurrency} in flight"


def ratios(one: Compared, played: Sequence[Played]) -> list[Figure]:
    """Return the ratio of throughputs and that of nodes per CPU second, and judge one of them.

    Args:
        one: The comparison.
        played: The turns of each instance.
    """
    return [
        *_ratio(one, "throughput", played, lambda turn: turn.length_s, judged=one.by_clock),
        *_ratio(
            one, "nodes a CPU second", played, lambda turn: turn.cpu_s, judged=not one.by_clock
        ),
    ]


def _ratio(
    one: Compared,
    what: str,
    played: Sequence[Played],
    cost: Callable[[Turn], float],
    *,
    judged: bool,
) -> Iterator[Figure]:
    """Yield a ratio of rates, and, if it is judged, figures of its 95 % interval.

    The interval is that of the mean of the logarithms of ratios. A drift of the machine affects
    both turns of a pair, and both loads of an instance, so it does not widen it.
    """
    name = f"{one.name}: {what}, engine / bare"
    if len(played) > 1:
        rates, of_what = (
            [_same_work(*sides, one.turnover_nodes, cost) for sides in played],
            "instances",
        )
    else:
        ((ours, bare),) = played
        pairs = zip(ours, bare, strict=True)
        rates, of_what = [(_rate(a, cost), _rate(b, cost)) for a, b in pairs], "pairs of turns"
    if any(not rate for each in rates for rate in each):
        yield Figure(name, None, "", one.min_ratio, note="less than a turnover in common")
        return
    logs = [math.log(ours / bare) for ours, bare in rates]
    half = t_quantile(0.975, len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    ratio = math.exp(statistics.mean(logs))
    means = " / ".join(f"{statistics.mean(side):.4g}" for side in zip(*rates, strict=True))
    note = f"{means} nodes; {len(logs)} {of_what}, turns of {one.turn_s:g} s, +- {half:.2g}"
    yield Figure(name, ratio, "", None, note=note)
    if judged:
        lower, upper = ratio * math.exp(-half), ratio * math.exp(half)
        yield Figure(f"{name}: lower end, proven", lower, "", one.min_ratio, at_most=False)
        yield Figure(f"{name}: lower end, fair", lower, "", MAX_RATIO)
        yield Figure(f"{name}: upper end, the goal", upper, "", one.goal, at_most=False)


def _rate(turn: Turn, cost: Callable[[Turn], float]) -> float:
    """Return nodes per second, of which kind ``cost`` says; 0 without any."""
    return turn.nodes / cost(turn) if cost(turn) else 0.0


def _same_work(
    ours: Sequence[Turn], bare: Sequence[Turn], turnover: int, cost: Callable[[Turn], float]
) -> tuple[float, float]:
    """Return the rates of both sides over the turnovers that both executed in these turns.

    Zeros if there is none: one side stood still, or was too far behind the other.
    """
    first = max(ours[0].nodes_before, bare[0].nodes_before)
    last = min(turns[-1].nodes_before + turns[-1].nodes for turns in (ours, bare))
    nodes = (last - first) // turnover * turnover
    if nodes <= 0:
        return 0.0, 0.0
    rates = [nodes / _cost_between(first, first + nodes, turns, cost) for turns in (ours, bare)]
    return rates[0], rates[1]


def _cost_between(
    first: int, last: int, turns: Sequence[Turn], cost: Callable[[Turn], float]
) -> float:
    """Return what the nodes from one to another cost; within a turn all cost the same."""
    total = 0.0
    for turn in turns:
        end = turn.nodes_before + turn.nodes
        within = min(last, end) - max(first, turn.nodes_before)
        if within > 0:
            total += cost(turn) * within / turn.nodes
    return total
