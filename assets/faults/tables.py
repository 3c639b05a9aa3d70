"""Group analysis: what was injected into a run, the evidence, and how the target came back."""

from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets.owners import OWNERS
from assets.run_inventory import report_run_inventory
from assets.tags import BEFORE_OTHERS
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from assets.faults.rows import Row
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NONE = "no failure was injected"


@dg.asset(
    group_name="analysis",
    kinds={"python"},
    owners=OWNERS,
    hooks={report_run_inventory},
    op_tags=BEFORE_OTHERS,
)
def fault_timeline(run_metrics: str) -> dg.MaterializeResult[None]:
    """When each failure was injected, in effect, taken back and gone, in s after its level's go."""
    from assets.faults.rows import timeline_row

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
    from assets.faults.rows import evidence_row

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
    from assets.faults.rows import protection_rows, recovery_row

    found = _result(run_metrics, "recovery", recovery_row)
    rows = protection_rows(_metrics_of(run_metrics))
    if not rows:
        return found
    return dg.MaterializeResult(
        metadata={**(found.metadata or {}), "protections": dg.MetadataValue.table(rows)}
    )


def _result(run_metrics: str, name: str, row: "Row") -> dg.MaterializeResult[None]:
    from assets.faults.rows import table_of

    rows = table_of(_metrics_of(run_metrics), row)
    shown = dg.MetadataValue.table(rows) if rows else NONE
    return dg.MaterializeResult(metadata={"failures": len(rows), name: shown})


def _metrics_of(run_metrics: str) -> "RunMetrics":
    from perf_pipeline.analysis.stored_metrics import metrics_of

    return metrics_of(RunFolder(Path(run_metrics).parent))
