"""Logs the verdicts on a run: of the run, of each level, of each objective and failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.logs.log import Log
from perf_pipeline.logs.run_log import run_log_context
from perf_pipeline.logs.trace import span_id

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.logs.ecs import Outcome
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

_SLO_OUTCOMES: dict[str, Outcome] = {"met": "success", "missed": "failure"}


def log_verdicts(folder: Path, metrics: RunMetrics) -> None:
    """Write a line for each verdict; a run that is measured again has them again.

    Args:
        folder: The run's.
        metrics: What was measured.
    """
    log = Log("measure").open(run_log_context(folder, metrics.manifest.scenario))
    try:
        for level in metrics.levels:
            _log_level(log, metrics.run_id, level)
        _log_validity(log, "run-judged", f"run {metrics.run_id}", metrics.validity, metrics.reasons)
    finally:
        log.close()


def _log_level(log: Log, run_id: str, level: LevelMetrics) -> None:
    name = f"{level.index:02d}-{level.label}"
    names, span = {"level": name}, span_id(run_id, name)
    shown = f"level {level.shown_apart}"
    _log_validity(log, "level-judged", shown, level.validity, level.reasons, names, span)
    for slo in level.slos:
        is_decided = slo.verdict in _SLO_OUTCOMES
        log.write(
            "warning" if slo.verdict != "met" else "info",
            "slo-judged",
            f"{shown}: {slo.slo.text}: {slo.verdict}: {slo.why}",
            dataset="verdict",
            outcome=_SLO_OUTCOMES[slo.verdict] if is_decided else "unknown",
            span_id=span,
            labels={**names, "verdict": slo.verdict, "workload": slo.family},
            value=slo.value,
            samples=slo.samples,
        )


def _log_validity(
    log: Log,
    action: str,
    what: str,
    validity: str,
    reasons: tuple[str, ...],
    names: dict[str, str] | None = None,
    span: str = "",
) -> None:
    is_valid = validity == "valid"
    log.write(
        "info" if is_valid else "warning",
        action,
        f"{what} is {validity}" + (f": {'; '.join(reasons)}" if reasons else ""),
        dataset="verdict",
        outcome="success" if is_valid else "failure",
        span_id=span,
        labels={**(names or {}), "verdict": validity},
    )
