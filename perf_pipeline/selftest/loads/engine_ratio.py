"""Ratio of the engine's rate to that of a bare loop, from turns that alternate."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.selftest.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.config.scenario.scenario import Nodes
    from perf_pipeline.selftest.loads.taking_turns import Turn

_T_95 = 2.0


@dataclass(frozen=True)
class Compared:
    """One comparison of the engine with the bare loop.

    Attributes:
        nodes: How the workflows are written.
        concurrency: Workflows in flight of each side.
        loop: ``closed``, or ``open``: more workflows arrive than can be executed.
        turn_s: Length of a turn.
        warm: Turns of each side that are left out.
        pairs: Turns of each side that count.
        min_ratio: Minimum of the ratio; the upper end of its 95 % interval is judged.
        max_half_width: Maximum half width of that interval; a wider one proves nothing.
        by_clock: Whether the ratio of throughputs is judged, or that of nodes per CPU second.
    """

    nodes: Nodes
    concurrency: int
    loop: str
    turn_s: float
    warm: int
    pairs: int
    min_ratio: float
    max_half_width: float
    by_clock: bool

    @property
    def name(self) -> str:
        """The comparison, for people."""
        return f"kailash, {self.nodes} nodes, {self.concurrency} in flight, {self.loop} loop"


def ratios(one: Compared, ours: list[Turn], bare: list[Turn]) -> list[Figure]:
    """Return the ratio of throughputs and that of nodes per CPU second, and judge one of them.

    Args:
        one: The comparison.
        ours: Turns of the engine that count.
        bare: Turns of the bare loop, as many.
    """
    return [
        *_ratio(one, "throughput", ours, bare, lambda turn: turn.length_s, judged=one.by_clock),
        *_ratio(
            one, "nodes a CPU second", ours, bare, lambda turn: turn.cpu_s, judged=not one.by_clock
        ),
    ]


def _ratio(
    one: Compared,
    what: str,
    ours: list[Turn],
    bare: list[Turn],
    cost: Callable[[Turn], float],
    *,
    judged: bool,
) -> Iterator[Figure]:
    """Yield a ratio of rates, and, if it is judged, figures of its 95 % interval.

    The interval is that of the mean of the logarithms of the ratios of neighbouring turns, so a
    drift of the machine, which affects both turns of a pair, does not widen it.
    """
    name = f"{one.name}: {what}, engine / bare"
    rates = [sum(t.nodes for t in side) / sum(map(cost, side)) for side in (ours, bare)]
    pairs = [
        math.log(a.nodes * cost(b) / (cost(a) * b.nodes))
        for a, b in zip(ours, bare, strict=True)
        if a.nodes and b.nodes and cost(a) and cost(b)
    ]
    if len(pairs) < len(ours):
        yield Figure(name, None, "", one.min_ratio, note="a turn without work")
        return
    half = _T_95 * statistics.stdev(pairs) / math.sqrt(len(pairs))
    ratio = rates[0] / rates[1]
    note = f"{rates[0]:.4g} / {rates[1]:.4g} nodes; {len(pairs)} pairs of turns of {one.turn_s:g} s"
    yield Figure(name, ratio, "", None, note=f"{note}, +- {half:.2g}")
    if judged:
        upper = ratio * math.exp(half)
        yield Figure(f"{name}: upper end of the interval", upper, "", one.min_ratio, at_most=False)
        yield Figure(f"{name}: half of the interval", half, "", one.max_half_width)
