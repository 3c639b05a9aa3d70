"""The question of overhead: how much of a workflow's time is the runtime's own?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.run.cost import WAYS, process_seconds
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.run.cost import Cost, Way

QUESTION = "How much is the runtime's own?"


def answer(metrics: RunMetrics, cost: Cost) -> tuple[Cell, tuple[str, ...]]:
    """Return the share of a workflow's process time that is not its work, and what it rests on.

    The whole is the slowest way that could be told, code nodes before lean nodes; the work is the
    same functions without a runtime. Both must be valid levels, or nothing is told.
    """
    whole = next(_told(metrics, cost), None)
    work = cost.parts[0]
    if whole is None or work.seconds is None:
        whys = dict.fromkeys(why for part in cost.parts for why in part.why_not.split("; ") if why)
        return Cell("not told", "quiet"), (f"Not told: {escape.visible('; '.join(whys))}.",)
    how, spent_s = whole
    at = "" if cost.concurrency is None else f"At {quantity.count(cost.concurrency)} in flight "
    spent, alone = quantity.seconds(spent_s), quantity.seconds(work.seconds)
    basis = f"{at}a workflow takes {spent} of one process {how}, and its work alone {alone}."
    if spent_s <= work.seconds:
        below = "The runtime's part is smaller than what this run can tell apart."
        return Cell("too small to tell", "quiet"), (basis, below)
    share = quantity.percent(100 * (spent_s - work.seconds) / spent_s)
    return Cell(share), (basis,)


def parts(cost: Cost) -> tuple[Fact, ...]:
    """Return the parts one by one, as far as they could be told."""
    if any(part.seconds is None for part in cost.parts):
        return ()
    return tuple(
        Fact(part.what, number(quantity.seconds(part.seconds or 0.0))) for part in cost.parts
    )


def _told(metrics: RunMetrics, cost: Cost) -> Iterator[tuple[str, float]]:
    ways: tuple[Way, ...] = ("code", "lean")
    for way in ways:
        level = cost.ways[way]
        spent = None if level is None else process_seconds(metrics, level)
        if isinstance(spent, float):
            yield WAYS[way], spent
