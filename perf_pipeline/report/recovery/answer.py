"""The answer of a run with failures: did the target come back from them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.recovery.fault_cells import fault_name
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery, FaultVerdict
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

QUESTION = "Does it recover from failures?"
WORST_FIRST: tuple[FaultVerdict, ...] = ("metastable", "invalid", "not_possible", "recovered")


def injected(metrics: RunMetrics) -> Iterator[tuple[LevelMetrics, FaultRecovery]]:
    """Return each failure that a run was to inject, with its level; controls are not among them."""
    for level in metrics.levels:
        if level.recovery is not None and not level.recovery.is_control:
            for fault in level.recovery.faults:
                yield level, fault


def deciding_verdicts(metrics: RunMetrics) -> set[FaultVerdict]:
    """Return the verdicts that decide about a run; empty for a run without failures.

    A failure that this machine cannot have decides nothing beside others: it is counted and shown.
    """
    found = {fault.verdict for _, fault in injected(metrics)}
    return found - {"not_possible"} or found


def answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]] | None:
    """Return the answer with a sentence for each failure; None for a run without any."""
    found = sorted(injected(metrics), key=_gravity)
    if not found:
        return None
    counts = {
        verdict: sum(fault.verdict == verdict for _, fault in found) for verdict in WORST_FIRST
    }
    sentences = [sentence(level, fault) for level, fault in found]
    sentences += [text for level in _levels(metrics) if (text := _writes(level))]
    if counts["metastable"]:
        return Cell(f"metastable: {_of(counts['metastable'], found)}", "bad"), tuple(sentences)
    if counts["invalid"]:
        return Cell(f"not known: {_of(counts['invalid'], found)} invalid", "warn"), tuple(sentences)
    if missing := counts["not_possible"]:
        text = f"{_of(missing, found)} not possible here"
        if missing == len(found):
            return Cell(f"not known: {text}", "warn"), tuple(sentences)
        return Cell(f"recovered from the others: {text}", "warn"), tuple(sentences)
    return Cell("recovered", "good"), tuple(sentences)


def _gravity(found: tuple[LevelMetrics, FaultRecovery]) -> tuple[int, bool, float]:
    """Return a key that sorts the worst first, and a closed loop, which hides failures, last."""
    level, fault = found
    took = fault.time_to_recover_s
    is_closed = level.loop == "closed"
    return WORST_FIRST.index(fault.verdict), is_closed, -took.value if took is not None else 0.0


def sentence(level: LevelMetrics, fault: FaultRecovery) -> str:
    """Return a failure, its verdict and its figures in one sentence."""
    name = f"{fault_name(fault)} at {labels.level_name(level)}"
    if level.validity != "valid":
        name = f"{name} ({level.validity})"
    if fault.verdict == "invalid":
        return f"{name}: invalid: {escape.visible(fault.why)}."
    if fault.verdict == "metastable":
        return f"{name}: metastable: {escape.visible(fault.why)}."
    if fault.verdict == "not_possible":
        return f"{name}: not possible here: {escape.visible(fault.why)}."
    parts = []
    if took := fault.time_to_recover_s:
        interval = quantity.between(took.low, took.high, "s")
        parts.append(f"recovered in {quantity.seconds(took.value)} ({interval})")
    if lost := fault.lost_service_s:
        interval = quantity.between(lost.low, lost.high, "s")
        parts.append(f"lost service {quantity.seconds(lost.value)} ({interval})")
    if harm := fault.harm:
        bad = f"{quantity.count(harm.bad)} of {quantity.count(harm.due)}"
        parts.append(f"{bad} workflows not answered well")
    return f"{name}: {', '.join(parts)}."


def _writes(level: LevelMetrics) -> str:
    """Return whether every acknowledged write of a level is on its server; empty without any."""
    parts = []
    for write in level.writes:
        name = labels.service_name(write.server)
        if write.missing is None:
            parts.append(f"{name} could not be counted")
            continue
        there = quantity.count(write.expected - write.missing)
        lost = f" (lost by {escape.name(write.lost_by)})" if write.lost_by else ""
        parts.append(f"{name} has {there} of {quantity.count(write.expected)}{lost}")
    if not parts:
        return ""
    return f"Acknowledged writes at {labels.level_name(level)}: {', '.join(parts)}."


def _of(count: int, found: list[tuple[LevelMetrics, FaultRecovery]]) -> str:
    return f"{quantity.count(count)} of {quantity.counted(len(found), 'failure')}"


def _levels(metrics: RunMetrics) -> list[LevelMetrics]:
    return list({level.index: level for level, _ in injected(metrics)}.values())
