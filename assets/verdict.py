"""The last step of a run: its verdict, which fails the run when a gate failed.

A check and not an asset, so that all that was measured and reported stays as it is, and green.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.failure import VerdictFailedError
from assets.metrics import run_metrics as run_metrics_asset
from assets.reporting import run_report
from assets.tags import GATE_TAG, SCENARIO_TAG, TARGET_TAG, VERDICT_TAG
from perf_pipeline.report.text import escape
from perf_pipeline.samples.run_folder import RunFolder

CHECK = "verdict"


@dg.multi_asset_check(
    name="run_verdict",
    specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=run_report,
            additional_deps=[run_metrics_asset],
            description="The run is complete, and its objectives and its gate are met; otherwise "
            "the Dagster run fails, after everything was stored and reported.",
        )
    ],
)
def run_verdict(
    context: dg.AssetCheckExecutionContext, run_metrics: str
) -> Iterator[dg.AssetCheckResult]:
    """Tag the run with its verdict, and fail it with the reason unless everything holds."""
    from perf_pipeline.analysis.stored_metrics import metrics_of
    from perf_pipeline.report.run.run_verdict import run_verdict as judged

    metrics = metrics_of(RunFolder(Path(run_metrics).parent))
    run = context.instance.get_run_by_id(context.run.run_id)
    verdict = judged(metrics, run.tags.get(GATE_TAG) if run else None)
    context.instance.add_run_tags(
        context.run.run_id,
        {
            SCENARIO_TAG: metrics.manifest.scenario,
            TARGET_TAG: metrics.manifest.target.name,
            VERDICT_TAG: verdict.word,
        },
    )
    check = dg.AssetCheckKey(run_report.key, CHECK)
    yield verdict_result(check, verdict.word, verdict.failures, verdict.not_possible)
    if verdict.failures:
        raise VerdictFailedError("\n".join(verdict.failures))


def verdict_result(
    check: dg.AssetCheckKey,
    word: str,
    failures: tuple[str, ...],
    not_possible: tuple[str, ...] = (),
) -> dg.AssetCheckResult:
    """Return a verdict for the page of an asset; texts of a target stay texts.

    Args:
        check: The check.
        word: The verdict.
        failures: Why the run failed; none if everything holds.
        not_possible: What could not be looked at on this machine, and decides nothing.
    """
    lines = [*(failures or (f"{word}: everything holds.",)), *not_possible]
    return dg.AssetCheckResult(
        asset_key=check.asset_key,
        check_name=check.name,
        passed=not failures,
        severity=dg.AssetCheckSeverity.ERROR,
        description="\n\n".join(map(escape.markdown, lines)),
        metadata={"verdict": word},
    )
