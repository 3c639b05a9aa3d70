"""The verdict on a run in one word, and why it failed, for places with room for little more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.config.slo.shipped import GATES
from perf_pipeline.report.recovery.answer import (
    WORST_FIRST,
    deciding_verdicts,
    injected,
    sentence,
)
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from collections.abc import Collection

    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.fault.recovery import FaultVerdict
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict
    from perf_pipeline.metrics.types.targets import TargetRow

LINES_MAX = 8
_WORST_FIRST: tuple[Verdict, ...] = ("missed", "unclear", "no_data", "met")
_NO_RUN = ("incomplete", "target_failed")
"""Validities of a run that failed without any objective."""


@dataclass(frozen=True)
class RunVerdict:
    """The verdict on a run.

    Attributes:
        word: The worst verdict on its objectives, its gate and its failures (``metastable``,
            ``fault_invalid``); without any, or where the run is incomplete or the target failed,
            its validity.
        failures: A line for each reason to call the run failed, the gravest first; none if it ran
            to its end and its objectives and its gate are met. An undecided one is not met.
        not_possible: A line for each failure that this machine cannot have, and that decides
            nothing beside others.
    """

    word: str
    failures: tuple[str, ...]
    not_possible: tuple[str, ...] = ()


def run_verdict(metrics: RunMetrics, gate: str | None = None) -> RunVerdict:
    """Judge a run by its validity, its objectives, the failures that it injected, and a gate.

    Args:
        metrics: Of a run that has ended.
        gate: ``production`` or ``goal``; None for none.
    """
    slos = sorted(run_slos(metrics), key=lambda one: _WORST_FIRST.index(one.verdict))
    lines = [
        *([_failure_of(metrics)] if metrics.validity in _NO_RUN else []),
        *(_slo_line(slo) for slo in slos if slo.verdict != "met"),
        *fault_failures(metrics),
        *(f"gate {gate}: {line}" for line in gate_failures(metrics, gate)),
    ]
    if more := lines[LINES_MAX:]:
        lines = [*lines[:LINES_MAX], f"and {len(more)} more, which the report names"]
    return RunVerdict(_word(metrics, slos, gate), tuple(lines), tuple(faults_not_possible(metrics)))


def fault_failures(metrics: RunMetrics) -> list[str]:
    """Return a line for each failure from which the target did not recover, or nobody knows."""
    return _fault_lines(metrics, deciding_verdicts(metrics) - {"recovered"})


def faults_not_possible(metrics: RunMetrics) -> list[str]:
    """Return a line for each failure that this machine cannot have, and that decides nothing."""
    decides = "not_possible" in deciding_verdicts(metrics)
    return [] if decides else _fault_lines(metrics, {"not_possible"})


def _fault_lines(metrics: RunMetrics, shown: Collection[FaultVerdict]) -> list[str]:
    found = [(level, fault) for level, fault in injected(metrics) if fault.verdict in shown]
    found.sort(key=lambda pair: WORST_FIRST.index(pair[1].verdict))
    return [f"fault {sentence(level, fault)}" for level, fault in found]


def gate_rows(metrics: RunMetrics, gate: str | None) -> list[TargetRow]:
    """Return the targets that a gate judges by; none without a gate."""
    return [] if gate is None else [row for row in metrics.targets if row.table == GATES[gate]]


def gate_failures(metrics: RunMetrics, gate: str | None) -> list[str]:
    """Return a line for each target of the gate that was not met; undecided is not met."""
    if gate is None:
        return []
    rows = gate_rows(metrics, gate)
    if not rows:
        return ["none of its targets applies to this run; [[slo]] or --slo sets objectives"]
    return [
        f"{row.what} at {row.level}: {_shown(row)}, limit {row.limit:g} {row.unit} ({row.verdict})"
        for row in rows
        if row.verdict != "met"
    ]


def _word(metrics: RunMetrics, slos: list[SloVerdict], gate: str | None) -> str:
    if metrics.validity in _NO_RUN:
        return metrics.validity
    judged: list[Verdict] = [slo.verdict for slo in slos]
    if gate is not None:
        judged += [row.verdict for row in gate_rows(metrics, gate)] or ["no_data"]
    of_faults = deciding_verdicts(metrics)
    if "metastable" in of_faults and "missed" not in judged:
        return "metastable"
    is_unknown = bool({"invalid", "not_possible"} & of_faults)
    if is_unknown and not {"missed", "unclear", "no_data"} & set(judged):
        return "fault_invalid"
    return min(judged, key=_WORST_FIRST.index, default=metrics.validity)


def _failure_of(metrics: RunMetrics) -> str:
    reason = metrics.reasons[0] if metrics.reasons else "nothing was measured"
    return f"{metrics.validity}: {escape.visible(reason)}"


def _slo_line(slo: SloVerdict) -> str:
    verdict = slo.verdict.replace("_", " ")
    what = f"{escape.name(slo.slo.text)} at {escape.name(slo.level)}"
    return f"objective {verdict}: {what}: {escape.visible(slo.why)}"


def _shown(row: TargetRow) -> str:
    return "not measured" if row.value is None else f"{row.value:.3g} {row.unit}"
