"""The metrics of a load level with the verdicts about it: the one place that composes both."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.bottleneck.exhaustion import exhaustion_of
from perf_pipeline.analysis.bottleneck.verdict import bottleneck_of
from perf_pipeline.analysis.recovery.level_recovery import (
    control_records,
    in_doubt,
    level_recovery,
    not_used,
)
from perf_pipeline.analysis.slo.judge import judge_slos
from perf_pipeline.analysis.slo.windows import LevelHistory
from perf_pipeline.metrics.records.stored_level import read_stored_level
from perf_pipeline.metrics.summary import summarise_level
from perf_pipeline.metrics.types.bottleneck import Bottleneck
from perf_pipeline.samples.level_faults import level_faults

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.level_context import LevelContext
    from perf_pipeline.metrics.records.stored_level import StoredLevel
    from perf_pipeline.metrics.summary import LevelSummary
    from perf_pipeline.metrics.types.fault.recovery import LevelRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics


HANGING_MAX = 0.05
"""Share of slots that may hang where the rest is judged."""


def measure_level(
    folder: Path, context: LevelContext, stored: StoredLevel | None = None
) -> LevelMetrics:
    """Measure the level in ``folder`` from its records, and judge it; also one cut short.

    Args:
        folder: The level's folder.
        context: What its run says about it.
        stored: What it has stored; None to read it.

    Raises:
        RunFolderError: The level's log or a journal cannot be read.
    """
    stored = stored or read_stored_level(folder, len(context.kinds))
    summary = summarise_level(folder, context, stored)
    history = LevelHistory(summary.warm, context.kinds, summary.go_ns, summary.window_ns)
    level = replace(
        summary.level,
        bottleneck=_bottleneck(summary, context),
        recovery=_recovery(folder, stored, summary, context),
    )
    return replace(level, slos=judge_slos(context.slos, level, history))


def _recovery(
    folder: Path, stored: StoredLevel, summary: LevelSummary, context: LevelContext
) -> LevelRecovery | None:
    """Return what failures did to the level; of one without any, how it was in their windows."""
    log = stored.records.log
    records = level_faults(folder, log)
    steady_ns = log["phases_ns"].get("steady")
    plan = log["plan"]
    is_control = not records and (plan["role"], plan["loop"]) == ("level", "open")
    window_ns = summary.window_ns
    if is_control and steady_ns is not None:
        # The planned phase, as in levels with a failure: warm-up that was found may end after it.
        window_ns = (steady_ns[0], window_ns[1])
        records = control_records(context.faults, *window_ns)
    found = level_recovery(
        stored,
        records,
        window_ns=window_ns,
        go_ns=summary.go_ns,
        slos=context.slos,
        is_control=is_control,
    )
    if found is None or is_control:
        return found and in_doubt(found, summary.level.validity)
    return in_doubt(not_used(found, summary.level.resources.traffic), summary.level.validity)


def _bottleneck(summary: LevelSummary, context: LevelContext) -> Bottleneck | None:
    """Return what limits the level; None where nothing does.

    An open level whose target keeps up is limited by the arrivals alone. A target that failed did
    not work, so nothing limited its work, unless it failed for a resource that ran out.
    """
    level = summary.level
    if exhausted := exhaustion_of(level):
        return exhausted
    if level.has_failed_target:
        return None
    if why := _not_judged(level):
        return Bottleneck("unclear", why, ())
    load = level.open_load
    if load is not None and not load.queue_grew and not level.outcomes.get("dropped"):
        return None
    return bottleneck_of(
        summary.samples,
        summary.records,
        summary.curve,
        level.in_flight,
        summary.window_ns,
        resources=summary.level.resources,
        thinks=level.thinking is not None,
        connection_limits=context.connection_limits(summary.records.log["plan"]),
    )


def _not_judged(level: LevelMetrics) -> str:
    """Return why nothing is named that limits a level; empty where it is judged.

    Slots of a process that has ended, or hangs, are neither in the target nor waiting for anything.
    """
    lost = [worker.sentence for worker in level.workers if worker.reason != "done"]
    if lost:
        return f"Nothing is named where a worker process is lost: {lost[0]}."
    if level.hanging and level.hanging.workflows > HANGING_MAX * level.concurrency:
        return f"Nothing is named where workflows hang: {level.hanging.sentence}."
    if level.phases.get("steady") and not level.steady_outcomes.get("ok"):
        return (
            "No workflow succeeded in the steady phase: what does not work is limited by nothing."
        )
    return ""
