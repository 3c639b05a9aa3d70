"""The numbers that a check judged, for the UI's plots of a check over runs.

Each has its unit in its name, three significant digits, and one series a level.
"""

from collections.abc import Callable, Iterable

from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.report.recovery.answer import injected
from perf_pipeline.report.recovery.checks import fault_key
from perf_pipeline.report.run.checks import TABLE
from perf_pipeline.report.text import escape, labels
from perf_pipeline.report.text.quantity import rounded

_Numbers = Iterable[tuple[str, float | None]]


def check_numbers(check: str, metrics: RunMetrics) -> dict[str, float]:
    """Return the numbers behind a check, by name; none for a check without any."""
    found = _OF_CHECK.get(check)
    if found is None:
        return {}
    return {what: rounded(value) for what, value in found(metrics) if value is not None}


def _validity(metrics: RunMetrics) -> _Numbers:
    valid = [level for level in metrics.levels if level.validity == "valid"]
    yield "valid levels (%)", 100 * len(valid) / len(metrics.levels) if metrics.levels else None


def _writes(metrics: RunMetrics) -> _Numbers:
    for level in metrics.levels:
        for write in level.writes:
            name = f"{labels.level_name(level)} {write.server}"
            yield f"missing writes (rows): {name}", write.missing


def _errors(metrics: RunMetrics) -> _Numbers:
    for level in metrics.levels:
        ratio = level.error_ratio
        percent = None if ratio is None else 100 * ratio
        yield f"errors (%): {labels.level_name(level)}", percent


def _targets(metrics: RunMetrics) -> _Numbers:
    for row in metrics.targets:
        if row.table == TABLE:
            yield f"{row.what} ({row.unit}): {escape.name(row.level)}", row.value


def _objectives(metrics: RunMetrics) -> _Numbers:
    for slo in run_slos(metrics):
        unit = slo.slo.about.unit or "ratio"
        name = f"{escape.name(slo.slo.text)} at {escape.name(slo.level)}"
        yield f"value ({unit}): {name}", slo.value


def _evidence(metrics: RunMetrics) -> _Numbers:
    for level, fault in injected(metrics):
        yield f"in effect (%): {fault_key(level, fault)}", 100 * fault.evidence_share


def _recovery(metrics: RunMetrics) -> _Numbers:
    for level, fault in injected(metrics):
        name, took, lost = fault_key(level, fault), fault.time_to_recover_s, fault.lost_service_s
        yield f"time to recover (s): {name}", took.value if took else None
        yield f"lost service (s): {name}", lost.value if lost else None


_OF_CHECK: dict[str, Callable[[RunMetrics], _Numbers]] = {
    "validity": _validity,
    "writes_reconciled": _writes,
    "no_errors": _errors,
    "production_targets": _targets,
    "objectives": _objectives,
    "faults_in_effect": _evidence,
    "faults_recovered": _recovery,
}
