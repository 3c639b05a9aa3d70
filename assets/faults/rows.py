"""Rows of the tables of failures, one a failure or a protection of the target."""

from collections.abc import Callable

import dagster as dg

from perf_pipeline.metrics.types.fault.recovery import Estimate, FaultRecovery
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.report.recovery.answer import injected
from perf_pipeline.report.recovery.protections import TEXTS, protected_failure, switched_text
from perf_pipeline.report.text import escape, labels

Value = str | float
Row = Callable[[FaultRecovery], dict[str, Value]]
_MOMENTS = ("injecting", "in_effect", "undoing", "gone")


def timeline_row(fault: FaultRecovery) -> dict[str, Value]:
    """Return when a failure was planned, and what happened when."""
    moments = {f"{name} (s)": getattr(fault.moments, f"{name}_s") for name in _MOMENTS}
    return {
        "planned at (s)": fault.at_s,
        "planned length (s)": fault.duration_s,
        **{name: "never" if value is None else round(value, 3) for name, value in moments.items()},
    }


def evidence_row(fault: FaultRecovery) -> dict[str, Value]:
    """Return what was observed of a failure."""
    return {
        "in effect (% of the window)": round(100 * fault.evidence_share, 1),
        "observations": fault.observations,
        "last observation": escape.visible(fault.signs[-1].text) if fault.signs else "none",
    }


def recovery_row(fault: FaultRecovery) -> dict[str, Value]:
    """Return how the target came back from a failure."""
    return {
        "verdict": fault.verdict,
        "time to recover (s)": _interval(fault.time_to_recover_s),
        "lost service (s)": _interval(fault.lost_service_s),
        "why": escape.visible(fault.why),
    }


def table_of(metrics: RunMetrics, row: Row) -> list[dg.TableRecord]:
    """Return a row for each failure of a run, with its level."""
    return [
        dg.TableRecord({**_named(level, fault), **row(fault)}) for level, fault in injected(metrics)
    ]


def protection_rows(metrics: RunMetrics) -> list[dg.TableRecord]:
    """Return a row for each setting of the target that is on in one level and off in another."""
    return [
        dg.TableRecord(
            {
                "setting": switched_text(one),
                "failure": protected_failure(one),
                "effect": TEXTS[one.verdict][0],
            }
        )
        for one in metrics.protections
    ]


def _named(level: LevelMetrics, fault: FaultRecovery) -> dict[str, Value]:
    return {"level": labels.level_name(level), "failure": fault.name}


def _interval(value: Estimate | None) -> str:
    if value is None:
        return "unknown"
    return f"{value.value:.3g} [{value.low:.3g}, {value.high:.3g}]"
