"""From the records of a closed level with think time to its users and how long they thought."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.metrics.types.records import Thinking

if TYPE_CHECKING:
    from collections.abc import Mapping


def thinking_of(
    warm: pl.DataFrame, plan: Mapping[str, Any], window_ns: tuple[int, int]
) -> Thinking | None:
    """Measure the think time of a level; None where its slots do not think.

    Args:
        warm: Records without cold starts.
        plan: The plan of the level, as ``level.json`` has it; older runs have no think time.
        window_ns: The steady phase, CLOCK_MONOTONIC: pauses count as far as they lie in it.
    """
    planned = ThinkTime(**plan.get("think_time", {}))
    if not planned.mean_s:
        return None
    if plan.get("stage"):  # the other slots wait for their stage
        user = pl.col("slot").cast(pl.Int64) * plan["processes"] + pl.col("worker")
        warm = warm.filter(user < plan["concurrency"])
    begin_ns, end_ns = window_ns
    pauses = (
        warm.lazy()
        .select("worker", "slot", "start_ns", "end_ns")
        .sort("worker", "slot", "start_ns")
        .with_columns(next_ns=pl.col("start_ns").shift(-1).over("worker", "slot"))
        .select(
            thought=pl.col("next_ns").fill_null(end_ns).clip(begin_ns, end_ns)
            - pl.col("end_ns").clip(begin_ns, end_ns),
            is_over=pl.col("next_ns").is_between(begin_ns, end_ns, closed="left"),
        )
        .select(pl.col("thought").clip(0).sum(), pl.col("is_over").sum())
        .collect()
    )
    thought_ns, count = pauses.row(0)
    return Thinking(
        planned=planned.shown,
        planned_avg_s=planned.mean_s,
        users=warm.select("worker", "slot").n_unique(),
        avg_s=thought_ns / count / 1e9 if count else None,
        samples=count,
    )
