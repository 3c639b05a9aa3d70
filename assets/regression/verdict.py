"""The last step of a comparison: its verdict, its alert, and the failure of a run that is worse."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from assets.failure import VerdictFailedError
from assets.regression.comparison import comparison as comparison_asset
from assets.tags import SCENARIO_TAG, VERDICT_TAG
from perf_pipeline.config.settings import current_settings
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Comparison

GOOD = ("no_change", "improvement")
"""Verdicts with which a release may ship."""
NAMED_MAX = 10
"""Metrics that the check names; the comparison's page has all."""


@dg.multi_asset_check(
    name="comparison_verdict",
    specs=[
        dg.AssetCheckSpec(
            "verdict",
            asset=comparison_asset,
            description="The candidate is not worse than its baseline: an error for a regression, "
            "a warning for doubt. The Dagster run fails with both, after everything was stored.",
        )
    ],
)
def comparison_verdict(
    context: dg.AssetCheckExecutionContext, comparison: str
) -> Iterator[dg.AssetCheckResult]:
    """Tag the run with the verdict, raise alerts, and fail it unless the candidate may ship."""
    yield from judged(context, Path(comparison), comparison_asset.key)


def judged(
    context: dg.AssetCheckExecutionContext, file: Path, asset: dg.AssetKey
) -> Iterator[dg.AssetCheckResult]:
    """Tag the run of a comparison, raise alerts, yield its check, and fail unless it is good.

    Args:
        context: Of the check.
        file: The comparison, in a results folder.
        asset: The asset whose check ``verdict`` it is.

    Raises:
        VerdictFailedError: A regression, or doubt.
    """
    from assets.regression.raised_alerts import raise_alerts
    from perf_pipeline.metrics.comparison_file import read_comparison

    found = read_comparison(file)
    context.instance.add_run_tags(
        context.run.run_id, {SCENARIO_TAG: found.scenario, VERDICT_TAG: found.verdict}
    )
    settings = replace(current_settings(), results_dir=file.parents[1])
    raise_alerts(settings, context.log.warning)
    yield compared_result(found, asset)
    if found.verdict not in GOOD:
        raise VerdictFailedError("\n".join(_sentences(found)))


def compared_result(found: "Comparison", asset: dg.AssetKey) -> dg.AssetCheckResult:
    """Return the verdict on a comparison; names and reasons stay texts in the UI."""
    is_worse = found.verdict == "regression"
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name="verdict",
        passed=found.verdict in GOOD,
        severity=dg.AssetCheckSeverity.ERROR if is_worse else dg.AssetCheckSeverity.WARN,
        description="\n\n".join(map(escape.markdown, _sentences(found))),
        metadata={"verdict": found.verdict, "severity": found.severity},
    )


def _sentences(found: "Comparison") -> list[str]:
    from perf_pipeline.report.text import changes

    decided = [one for one in found.changes if one.verdict == found.verdict]
    severity = "" if found.severity == "none" else f", {found.severity}"
    named = [f"{changes.in_short(one)}: {one.why}" for one in decided[:NAMED_MAX]]
    if found.verdict in GOOD:
        named = []
    verdict = found.verdict.replace("_", " ")
    sides = f"{escape.name(found.candidate.name)} against {escape.name(found.baseline.name)}"
    return [f"{verdict}{severity}: {sides}", *named, *found.recommendations]
