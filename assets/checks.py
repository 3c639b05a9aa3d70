"""Asset checks: is the run a measurement, and does the target pass?

None of them blocks: a report is needed above all when something failed. A check that has nothing to
test in a run (no objectives, no repeats, no failures, no target that applies) has no result for
it: the UI shows it as skipped, neither green nor red.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets.metrics import run_metrics as run_metrics_asset
from perf_pipeline.report.text import escape
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from perf_pipeline.report.run.checks import CheckFinding

CHECKS = {
    "validity": "Every level is a valid measurement.",
    "writes_reconciled": "Every workflow that ended ok has its write on the servers.",
    "no_errors": "No workflow failed; how many did, and of what.",
    "production_targets": "The minimum for production is met at every level that it applies to.",
    "repeats_agree": "The repeats of a level differ by no more than the interval within one of "
    "them explains.",
    "objectives": "The scenario's own objectives are met.",
    "pools_recovered": "After exhausted connection pools the same load is served as before.",
    "faults_in_effect": "Each failure was proven to be in effect for 95 % of its window.",
    "faults_recovered": "Service came back after each failure.",
}


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(name, asset=run_metrics_asset, description=what)
        for name, what in CHECKS.items()
    ],
    can_subset=True,
)
def run_checks(
    context: dg.AssetCheckExecutionContext, run_metrics: str
) -> Iterator[dg.AssetCheckResult]:
    """Check the run that ``run_metrics`` was made from."""
    from assets.shown.check_findings import FIND
    from assets.shown.check_numbers import check_numbers
    from perf_pipeline.analysis.stored_metrics import metrics_of

    metrics = metrics_of(RunFolder(Path(run_metrics).parent))
    wanted = {key.name for key in context.selected_asset_check_keys}
    for name, find in FIND.items():
        finding = find(metrics) if name in wanted else None
        if finding is not None:
            yield check_result(name, finding, check_numbers(name, metrics))


def check_result(
    name: str, finding: "CheckFinding", numbers: Mapping[str, float]
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
