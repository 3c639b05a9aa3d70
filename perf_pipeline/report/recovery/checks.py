"""The checks of failures: were they in effect, and did the target come back?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.recovery.answer import deciding_verdicts, injected, sentence
from perf_pipeline.report.recovery.fault_cells import fault_name, window_text
from perf_pipeline.report.run.checks import CheckFinding
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.samples.fault_log import MIN_EVIDENCE_SHARE

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

_NOT_IN_EFFECT = (
    "A failure that was not in effect proves nothing: the target had nothing to survive. What to "
    "do: the reason names what refused or ended it; a server of your own is never faulted."
)
_METASTABLE = (
    "metastable: the failure is gone and the target does not come back by itself, as after a retry "
    "storm. What to do: see attempts, backlog and errors of the time after it in the report; bound "
    "retries, queues and time-outs."
)
_NOT_POSSIBLE = "What is not possible on this machine is counted here and decides nothing."
_INVALID = (
    "invalid: it is not known whether the target recovers. What to do: see the reasons; mostly the "
    "level must be longer before or after the failure."
)


def check_faults_in_effect(metrics: RunMetrics) -> CheckFinding | None:
    """Check that each failure was proven to be in effect; None for a run without any."""
    found = list(injected(metrics))
    if not found:
        return None
    lines = {fault_key(level, fault): _evidence(fault) for level, fault in found}
    decides = deciding_verdicts(metrics)
    judged = [pair for pair in found if pair[1].verdict in decides]
    bad = [
        f"{fault_key(level, fault)}: {_evidence(fault)}"
        for level, fault in judged
        if fault.evidence_share < MIN_EVIDENCE_SHARE
    ]
    sentences = [*bad, _NOT_IN_EFFECT] if bad else [f"All {len(judged)} failures were in effect."]
    sentences += _not_possible(metrics)
    return CheckFinding(
        passed=not bad, severity="ERROR", sentences=tuple(sentences), facts=dict(lines)
    )


def check_recovery(metrics: RunMetrics) -> CheckFinding | None:
    """Check that the target recovered from each failure; None for a run without any."""
    found = list(injected(metrics))
    if not found:
        return None
    verdicts = deciding_verdicts(metrics)
    judged = [pair for pair in found if pair[1].verdict in verdicts]
    bad = [sentence(level, fault) for level, fault in judged if fault.verdict != "recovered"]
    sentences = [f"The target recovered from all {len(judged)} failures."]
    if bad:
        sentences = bad
        sentences += [_METASTABLE] if "metastable" in verdicts else []
        sentences += [_INVALID] if "invalid" in verdicts else []
    sentences += _not_possible(metrics)
    return CheckFinding(
        passed=not bad,
        severity="ERROR" if "metastable" in verdicts else "WARN",
        sentences=tuple(sentences),
        facts={fault_key(level, fault): sentence(level, fault) for level, fault in found},
    )


def _not_possible(metrics: RunMetrics) -> list[str]:
    """Return a sentence for each failure that this machine cannot have, beside others."""
    left_out = {"not_possible"} - deciding_verdicts(metrics)
    found = [sentence(*pair) for pair in injected(metrics) if pair[1].verdict in left_out]
    return [*found, _NOT_POSSIBLE] if found else []


def fault_key(level: LevelMetrics, fault: FaultRecovery) -> str:
    """Return a name of a failure that is unique in its run."""
    return f"{fault_name(fault)}, {window_text(fault)}, at {labels.level_name(level)}"


def _evidence(fault: FaultRecovery) -> str:
    share = quantity.percent(100 * fault.evidence_share)
    observed = quantity.counted(fault.observations, "observation")
    if fault.verdict == "not_possible":
        return f"not possible here: {escape.visible(fault.why)}"
    shown = f"in effect for {share} of its window ({observed})"
    return f"{shown}; {escape.visible(fault.why)}" if fault.verdict == "invalid" else shown
