"""Asset checks: is the run a measurement, and what does it say of the target?

None of them blocks: a report is wanted most when something failed.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets import repeats, verdicts
from assets.metrics import run_metrics as run_metrics_asset
from perf_pipeline.analysis.measure import metrics_of
from perf_pipeline.samples.run_folder import RunFolder

CHECKS = {
    "validity": (verdicts.validity_result, "Every level is a valid measurement."),
    "writes_reconciled": (
        verdicts.writes_result,
        "Every workflow that ended ok has its write on the servers.",
    ),
    "no_errors": (verdicts.errors_result, "No workflow failed; how many did, and of what."),
    "production_targets": (
        verdicts.targets_result,
        "The minimum for production is met at every level that it speaks of.",
    ),
    "repeats_agree": (
        repeats.repeats_result,
        "The repeats of a level differ by no more than the interval within one of them explains.",
    ),
    "objectives": (verdicts.slos_result, "The scenario's own objectives are kept."),
}


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset=run_metrics_asset, description=what)
        for name, (_, what) in CHECKS.items()
    ]
)
def run_checks(run_metrics: str) -> Iterator[dg.AssetCheckResult]:
    """Check the run that ``run_metrics`` was made from."""
    metrics = metrics_of(RunFolder(Path(run_metrics).parent))
    for name, (result, _) in CHECKS.items():
        yield result(metrics)._replace(check_name=name, asset_key=run_metrics_asset.key)
