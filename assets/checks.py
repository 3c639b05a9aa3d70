"""Asset checks: is the run a measurement, and does the target pass?

None of them blocks: a report is needed above all when something failed. A check that has nothing to
test in a run (no objectives, no repeats, no failures, no target that applies) has no result for
it: the UI shows it as skipped, neither green nor red.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg

from assets.metrics import run_metrics as run_metrics_asset
from assets.shown.check_numbers import check_numbers
from perf_pipeline.analysis.measure import metrics_of
from perf_pipeline.report.pools.pool_recovery import check_pools
from perf_pipeline.report.recovery.checks import check_faults_in_effect, check_recovery
from perf_pipeline.report.run import checks
from perf_pipeline.report.text import escape
from perf_pipeline.samples.run_folder import RunFolder

CHECKS = {
    "validity": (checks.check_validity, "Every level is a valid measurement."),
    "writes_reconciled": (
        checks.check_writes,
        "Every workflow that ended ok has its write on the servers.",
    ),
    "no_errors": (checks.check_errors, "No workflow failed; how many did, and of what."),
    "production_targets": (
        checks.check_targets,
        "The minimum for production is met at every level that it applies to.",
    ),
    "repeats_agree": (
        checks.check_repeats,
        "The repeats of a level differ by no more than the interval within one of them explains.",
    ),
    "objectives": (checks.check_slos, "The scenario's own objectives are met."),
    "pools_recovered": (
        check_pools,
        "After exhausted connection pools the same load is served as before.",
    ),
    "faults_in_effect": (
        check_faults_in_effect,
        "Each failure was proven to be in effect for 95 % of its window.",
    ),
    "faults_recovered": (check_recovery, "Service came back after each failure."),
}


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset=run_metrics_asset, description=what)
        for name, (_, what) in CHECKS.items()
    ],
    can_subset=True,
)
def run_checks(
    context: dg.AssetCheckExecutionContext, run_metrics: str
) -> Iterator[dg.AssetCheckResult]:
    """Check the run that ``run_metrics`` was made from."""
    metrics = metrics_of(RunFolder(Path(run_metrics).parent))
    wanted = {key.name for key in context.selected_asset_check_keys}
    for name, (check, _) in CHECKS.items():
        finding = check(metrics) if name in wanted else None
        if finding is not None:
            yield check_result(name, finding, check_numbers(name, metrics))


def check_result(
    name: str, finding: checks.CheckFinding, numbers: Mapping[str, float]
) -> dg.AssetCheckResult:
    """Return a finding and its numbers for the UI, which reads its sentences as Markdown.

    Error texts and names are not ours: an image in one of them would be fetched.
    """
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=run_metrics_asset.key,
        passed=finding.passed,
        severity=dg.AssetCheckSeverity[finding.severity],
        description="\n\n".join(map(escape.markdown, finding.sentences)),
        metadata={**finding.facts, **numbers},
    )
