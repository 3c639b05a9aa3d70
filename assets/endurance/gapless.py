"""The job that plays all hours of a campaign in one go, without a gap between them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.endurance.campaigns import SOAK_TARGET
from assets.endurance.hours import SoakConfig, campaign_metadata, tag_run
from assets.endurance.trend import check_evaluations
from assets.failure import VerdictFailedError
from assets.launchpad.flag_form import settings_with
from assets.resources import checked_run, hang_up_as_terminate, notifier
from assets.run_inventory import ending_as_canceled, note_first_failure
from assets.shown.end_summary import EndSummary
from assets.shown.links import report_links
from assets.tags import VERDICT_TAG
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.endurance.endurance import REAL_HOUR_S
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.samples.campaign.campaign import Campaign
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.first_partition import (
    FirstPartition,
    first_partition,
    partition_at,
)
from perf_pipeline.samples.campaign.hour import Hour


class GaplessConfig(SoakConfig):
    """The campaign that is played in one go."""

    campaign_id: str | None = Field(
        default=None, description="Id of the campaign; normally left empty."
    )


def first_of(now: datetime, hours: int, hour_seconds: float) -> FirstPartition:
    """Return the partition of hour 0.

    Real hours are those of the clock from now on. Scaled ones are over long before as many hours of
    the clock are, and an hour to come has no partition; so they are the last ones until now.
    """
    back = 0 if hour_seconds >= REAL_HOUR_S else hours - 1
    return FirstPartition(partition_at(now - timedelta(hours=back)))


@dg.op
def play_campaign(context: dg.OpExecutionContext, config: GaplessConfig) -> str:
    """Play all hours; mark the partition of each as it ends. The value is the campaign's folder."""
    from perf_pipeline.campaign.planned_campaign import planned_campaign
    from perf_pipeline.endurance_run import run_endurance
    from perf_pipeline.loadgen.endurance.hour_plan import endurance_of

    settings, notify = settings_with(config.results_dir), notifier(context.log)
    checked = checked_run(settings, config.campaign_id)
    with ending_as_canceled(context):
        planned = planned_campaign(
            checked.scenario if checked else open_scenario(config.scenario, read_machine_limits()),
            campaign_id=config.campaign_id,
            hours=config.hours,
            hour_seconds=config.hour_seconds,
            rate_per_s=config.rate_per_s,
            environments=checked.environments if checked else {},
        )
        soak = endurance_of(planned.scenario)
        first = first_of(datetime.now(UTC), soak.hour_count, soak.hour_seconds)
        hang_up_as_terminate()
        folder = run_endurance(
            planned,
            settings,
            notify=notify,
            wait_s=parse_duration(config.wait, "wait"),
            partition_of=first.of_hour,
            on_hour=partial(_mark, context, notify, first),
        )
    return str(folder.root)


def _mark(
    context: dg.OpExecutionContext,
    notify: Callable[[str], None],
    first: FirstPartition,
    folder: CampaignFolder,
    hour: Hour,
) -> None:
    """Record an hour as it ends, and before the first one the campaign."""
    from assets.shown.endurance import hour_metadata

    campaign = folder.campaign()
    if hour.hour == 0:
        first_partition(folder, otherwise=first.partition)
        tag_run(context, campaign)
        begun = campaign_metadata(folder, campaign)
        context.log_event(dg.AssetMaterialization(SOAK_TARGET, metadata=begun))
    notify(_line(campaign, hour))
    played = hour_metadata(campaign, hour)
    context.log_event(
        dg.AssetMaterialization("endurance_hour", partition=hour.partition, metadata=played)
    )


def _line(campaign: Campaign, hour: Hour) -> str:
    failed = hour.errors + hour.timeouts + hour.dropped
    gap = f", {hour.gap_before_s:.1f} s after the one before" if hour.hour else ""
    return f"hour {hour.hour + 1} of {campaign.hours}{gap}: {hour.ok} ok, {failed} failed"


@dg.op
def judge_and_report(
    context: dg.OpExecutionContext, root: str, end_summary: dg.ResourceParam[EndSummary]
) -> None:
    """Record trend, checks and report of the campaign, and fail the run unless all checks pass."""
    from assets.shown.endurance import verdict_metadata
    from perf_pipeline.campaign.trend import judge_trend
    from perf_pipeline.report.endurance.checks import failures
    from perf_pipeline.report.endurance.files import write_campaign_report
    from perf_pipeline.report.endurance.stored_campaign import stored_campaign

    folder = CampaignFolder(Path(root))
    with ending_as_canceled(context):
        judge_trend(folder, current_settings(), notify=notifier(context.log))
        stored = stored_campaign(folder.root)
        page = write_campaign_report(folder.root)
    for name, metadata in (
        ("endurance_trend", verdict_metadata(stored)),
        ("endurance_report", report_links(page)),
    ):
        context.log_event(dg.AssetMaterialization(name, metadata=metadata))
    for one in check_evaluations(stored):
        context.log_event(one)  # type: ignore[arg-type] # it handles more than its annotation says
    end_summary.show_path(page)
    failed = failures(stored)
    word = "clean" if stored.verdicts is None else stored.verdicts.leak
    context.instance.add_run_tags(context.run.run_id, {VERDICT_TAG: word})
    if failed:
        raise VerdictFailedError("\n".join(failed))


@dg.job(
    description="All hours of a campaign in one go, without a gap between them; the partition of "
    "each hour is marked as it ends.",
    hooks={note_first_failure},
)
def endurance() -> None:
    """Play a campaign, judge it and report it."""
    judge_and_report(play_campaign())
