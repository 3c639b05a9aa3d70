"""Asset checks: is the run a measurement, and are its writes on the servers?"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.metrics import run_metrics as run_metrics_asset
from perf_pipeline.metrics.measure import measure_run
from perf_pipeline.samples.run_folder import RunFolder

VALIDITY, RECONCILIATION = "validity", "writes_reconciled"


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            VALIDITY, asset=run_metrics_asset, description="Every level is a valid measurement."
        ),
        dg.AssetCheckSpec(
            RECONCILIATION,
            asset=run_metrics_asset,
            description="Every workflow that ended ok has its write on the servers.",
        ),
    ]
)
def run_checks(run_metrics: str) -> Iterator[dg.AssetCheckResult]:
    """Check the run that ``run_metrics`` was made from."""
    metrics = measure_run(RunFolder(Path(run_metrics).parent))
    yield dg.AssetCheckResult(
        check_name=VALIDITY,
        asset_key=run_metrics_asset.key,
        passed=metrics.validity == "valid",
        metadata={"validity": metrics.validity, "reasons": list(metrics.reasons)},
    )
    writes = [(level.shown, write) for level in metrics.levels for write in level.writes]
    lines = {
        f"{label} {write.server}": write.problem
        or f"{write.found} found, {write.expected} expected, {write.missing} missing, "
        f"{write.extra} extra"
        for label, write in writes
    }
    yield dg.AssetCheckResult(
        check_name=RECONCILIATION,
        asset_key=run_metrics_asset.key,
        passed=all(write.problem is None and not write.missing for _, write in writes),
        metadata=lines,
    )
