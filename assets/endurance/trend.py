"""All hours of a campaign together: their trend, its checks, and the report."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg

from assets.endurance.campaigns import campaign_to_join
from assets.endurance.hours import GROUP, endurance_hour, tag_run
from assets.launchpad.flag_form import WAIT
from assets.owners import OWNERS
from assets.resources import notifier
from assets.run_inventory import ending_as_canceled
from assets.shown.links import report_links
from assets.tags import VERDICT_TAG
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.settings import current_settings
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign

CHECKS = {
    "no_leak": "No signal grows without end; doubt is a warning.",
    "no_degradation": "A loss of 10 % or more over 24 hours is proven absent for every metric.",
    "errors_stable": "The error ratio at the end is that of the beginning.",
}


class TrendConfig(dg.Config):
    """How a trend is judged."""

    wait: str = WAIT


@dg.asset(
    group_name=GROUP,
    kinds={"json"},
    owners=OWNERS,
    deps=[dg.AssetDep(endurance_hour, partition_mapping=dg.AllPartitionMapping())],
)
def endurance_trend(
    context: dg.AssetExecutionContext, config: TrendConfig
) -> dg.MaterializeResult[None]:
    """Leaks, loss over 24 hours and errors, judged over all hours of the campaign so far.

    Where it leaks, and is over, a short second arm names the places in the code that grew.
    """
    from assets.shown.endurance import verdict_metadata
    from perf_pipeline.campaign.trend import judge_trend
    from perf_pipeline.report.endurance.stored_campaign import stored_campaign

    with ending_as_canceled(context):
        folder = campaign_to_join(context.instance)
        tag_run(context, folder.campaign())
        found = judge_trend(
            folder,
            current_settings(),
            notify=notifier(context.log),
            wait_s=parse_duration(config.wait, "wait"),
        )
        stored = stored_campaign(folder.root)
    context.instance.add_run_tags(context.run.run_id, {VERDICT_TAG: found.leak})
    return dg.MaterializeResult(metadata=verdict_metadata(stored))


@dg.asset(group_name=GROUP, kinds={"html", "markdown"}, owners=OWNERS, deps=[endurance_trend])
def endurance_report(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
    """The page of the campaign: hours side by side, signals with trends, verdicts, gaps."""
    from perf_pipeline.report.endurance.files import write_campaign_report

    with ending_as_canceled(context):
        page = write_campaign_report(campaign_to_join(context.instance).root)
    markdown = page.with_suffix(".md").read_text(encoding="utf-8")
    return dg.MaterializeResult(
        metadata={**report_links(page), "summary": dg.MetadataValue.md(markdown)}
    )


@dg.multi_asset_check(
    name="endurance_checks",
    specs=[
        dg.AssetCheckSpec(name, asset=endurance_trend, description=what)
        for name, what in CHECKS.items()
    ],
)
def endurance_checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Check the verdicts of the campaign; none of them blocks the report."""
    from perf_pipeline.report.endurance.stored_campaign import stored_campaign

    for one in check_evaluations(stored_campaign(campaign_to_join(context.instance).root)):
        yield dg.AssetCheckResult(
            asset_key=one.asset_key,
            check_name=one.check_name,
            passed=one.passed,
            severity=one.severity,
            description=one.description,
            metadata=one.metadata,
        )


def check_evaluations(stored: "StoredCampaign") -> Iterator[dg.AssetCheckEvaluation]:
    """Yield the finding of each check; its sentences are shown as they are."""
    from perf_pipeline.report.endurance.checks import findings

    for name, finding in findings(stored).items():
        yield dg.AssetCheckEvaluation(
            asset_key=endurance_trend.key,
            check_name=name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity[finding.severity],
            description="\n\n".join(map(escape.markdown, finding.sentences)),
            metadata=finding.facts,
        )
