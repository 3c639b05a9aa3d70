"""Whether the servers recovered from exhausted connection pools, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.pool_recovery import SHARE, WINDOW_S
from perf_pipeline.report.pools.pool_wait import wait_sentences
from perf_pipeline.report.run.checks import CheckFinding
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.server_use import PoolRecovery

QUESTION = "Did the connection pools recover?"


def pool_answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]] | None:
    """Return the answer in a few words, and its sentences; None where no pool was exhausted.

    Args:
        metrics: Of the run.
    """
    found = metrics.pool_recoveries
    if not found:
        return None
    exhausted = dict.fromkeys(one.exhausted for one in found)
    sentences = (
        *map(pool_sentence, found),
        *(
            sentence
            for level in metrics.levels
            if level.label in exhausted
            for sentence in wait_sentences(level)
        ),
    )
    if any(one.time_s is None for one in found):
        return Cell("not recovered", "bad"), sentences
    slowest = max(found, key=lambda one: one.time_s or 0.0)
    return Cell(f"recovered after {time_text(slowest)}", "good"), sentences


def check_pools(metrics: RunMetrics) -> CheckFinding | None:
    """Check that every exhausted pool was back to normal; None where none was exhausted."""
    answer = pool_answer(metrics)
    if answer is None:
        return None
    return CheckFinding(
        passed=all(one.time_s is not None for one in metrics.pool_recoveries),
        severity="ERROR",
        sentences=answer[1],
        facts={
            f"{escape.name(one.exhausted)} to {escape.name(one.after)}": time_text(one)
            for one in metrics.pool_recoveries
        },
    )


def time_text(recovery: PoolRecovery) -> str:
    """Return the time to recover with its interval: ``2 s [1, 3]``."""
    if recovery.time_s is None:
        return f"not within {quantity.seconds(recovery.watched_s)}"
    return f"{recovery.time_s:g} s [{recovery.low_s:g}, {recovery.high_s:g}]"


def pool_sentence(recovery: PoolRecovery) -> str:
    """Return which pools were exhausted, and when the load after it was served as before."""
    pools = ", ".join(
        f"{escape.name(server)} {peak} of {limit}"
        for server, (peak, limit) in recovery.pools.items()
    )
    exhausted, after, before = (
        escape.name(name) for name in (recovery.exhausted, recovery.after, recovery.before)
    )
    head = f"{exhausted}: connections exhausted ({pools})."
    normal = (
        f"{100 * SHARE:g} % of its throughput over every {WINDOW_S} s, "
        f"{quantity.rate(recovery.floor_per_s)}"
    )
    if recovery.time_s is None:
        return (
            f"{head} {after} was not back to normal ({normal}) in the "
            f"{quantity.seconds(recovery.watched_s)} that it was watched: look for connections and "
            "locks that are still held."
        )
    return (
        f"{head} {after} was back to normal {time_text(recovery)} later after its begin than "
        f"{before}, the same load before it ({normal})."
    )
