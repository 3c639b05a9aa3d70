"""Group analysis: what was injected into a run, the evidence, and how the target came back."""

from collections.abc import Callable
from pathlib import Path

import dagster as dg

from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from assets.tags import BEFORE_OTHERS
from perf_pipeline.analysis.measure import metrics_of
from perf_pipeline.metrics.types.fault.recovery import Estimate, FaultRecovery
from perf_pipeline.metrics.types.level import LevelMetrics
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.report.recovery.answer import injected
from perf_pipeline.report.recovery.protections import TEXTS, protected_failure, switched_text
from perf_pipeline.report.text import escape, labels
from perf_pipeline.samples.run_folder import RunFolder

Value = str | float
Row = Callable[[FaultRecovery], dict[str, Value]]
NONE = "no failure was injected"
_MOMENTS = ("injecting", "in_effect", "undoing", "gone")


@dg.asset(
    group_name="analysis",
    kinds={"python"},
    owners=OWNERS,
    hooks={report_run_inventory},
    op_tags=BEFORE_OTHERS,
)
def fault_timeline(run_metrics: str) -> dg.MaterializeResult[None]:
    """When each failure was injected, in effect, taken back and gone, in s after its level's go."""
    return _result(run_metrics, "timeline", timeline_row)


@dg.asset(
    group_name="analysis",
    kinds={"python"},
    owners=OWNERS,
    hooks={report_run_inventory},
    op_tags=BEFORE_OTHERS,
)
def fault_evidence(run_metrics: str) -> dg.MaterializeResult[None]:
    """For how much of its window each failure was seen to be in effect, and by what."""
    return _result(run_metrics, "evidence", evidence_row)


@dg.asset(
    group_name="analysis",
    kinds={"python"},
    owners=OWNERS,
    hooks={report_run_inventory},
    op_tags=BEFORE_OTHERS,
)
def recovery_table(run_metrics: str) -> dg.MaterializeResult[None]:
    """How the target came back from each failure, and what protections of it changed."""
    found = _result(run_metrics, "recovery", recovery_row)
    rows = protection_rows(_metrics_of(run_metrics))
    if not rows:
        return found
    return dg.MaterializeResult(
        metadata={**(found.metadata or {}), "protections": dg.MetadataValue.table(rows)}
    )


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


def _result(run_metrics: str, name: str, row: Row) -> dg.MaterializeResult[None]:
    rows = table_of(_metrics_of(run_metrics), row)
    shown = dg.MetadataValue.table(rows) if rows else NONE
    return dg.MaterializeResult(metadata={"failures": len(rows), name: shown})


def _metrics_of(run_metrics: str) -> RunMetrics:
    return metrics_of(RunFolder(Path(run_metrics).parent))


def _named(level: LevelMetrics, fault: FaultRecovery) -> dict[str, Value]:
    return {"level": labels.level_name(level), "failure": fault.name}


def _interval(value: Estimate | None) -> str:
    if value is None:
        return "unknown"
    return f"{value.value:.3g} [{value.low:.3g}, {value.high:.3g}]"
