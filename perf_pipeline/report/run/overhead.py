"""The question of overhead: how much of a workflow's CPU time is the runtime's own?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.run.cost import AFFECTED, WAYS, cpu_time, process_seconds
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, number

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.run.cost import Cost, Way

QUESTION = "How much is the runtime's own?"


def answer(metrics: RunMetrics, cost: Cost) -> tuple[Cell, tuple[str, ...]]:
    """Return the share of a workflow's CPU time that is not its work, and what it rests on.

    The whole is code nodes, or lean nodes where code nodes were not measured; the work is the
    same functions without a runtime. Both must be valid levels, apart from neighbours.
    """
    whole = _whole(cost)
    work = cost.parts[0]
    if whole is None or work.cpu_s is None:
        whys = dict.fromkeys(why for part in cost.parts for why in part.why_not.split("; ") if why)
        reasons = escape.visible("; ".join(whys))
        return Cell("not measured", "quiet"), (f"Not measured: {reasons}.",)
    how, spent_s, level = whole
    at = "" if cost.concurrency is None else f"At {quantity.count(cost.concurrency)} in flight "
    spent, alone = quantity.seconds(spent_s), quantity.seconds(work.cpu_s)
    sentences = [f"{at}a workflow takes {spent} of CPU time {how}, and its work alone {alone}."]
    process = process_seconds(metrics, level)
    if isinstance(process, float) and work.process_s is not None:
        sentences.append(
            f"By the clock it takes {quantity.seconds(process)} of one worker process, and its "
            f"work alone {quantity.seconds(work.process_s)}."
        )
    if cost.is_beside_neighbours:
        sentences.append(AFFECTED)
    if spent_s <= work.cpu_s:
        sentences.append("The runtime's part is smaller than the resolution of this run.")
        return Cell("too small to measure", "quiet"), tuple(sentences)
    share = quantity.percent(100 * (spent_s - work.cpu_s) / spent_s)
    return Cell(share), tuple(sentences)


def parts(cost: Cost) -> tuple[Fact, ...]:
    """Return the parts one by one; nothing unless all of them are known."""
    if any(part.cpu_s is None for part in cost.parts):
        return ()
    return tuple(
        Fact(part.what, number(quantity.seconds(part.cpu_s or 0.0), part.interval))
        for part in cost.parts
    )


def _whole(cost: Cost) -> tuple[str, float, LevelMetrics] | None:
    """Return how the most expensive way that was measured runs, its CPU time and its level."""
    ways: tuple[Way, ...] = ("code", "lean")
    for way in ways:
        level = cost.ways[way]
        if level is None:
            continue
        cpu = cpu_time(level)
        if not isinstance(cpu, str) and cpu.seconds is not None:
            return WAYS[way], cpu.seconds, level
    return None
