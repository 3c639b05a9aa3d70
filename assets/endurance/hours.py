"""The target that lives across the hours, and each hour as a partition."""

import json
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from assets.endurance.campaigns import (
    FOLDER,
    campaign_to_join,
    current_campaign,
    is_over,
    place_of,
)
from assets.endurance.partitions import HOURS
from assets.launchpad.flag_form import RESULTS_DIR, WAIT, settings_with
from assets.owners import OWNERS
from assets.resources import hang_up_as_terminate, notifier
from assets.run_inventory import ending_as_canceled
from assets.shown.progress import ProgressLog
from assets.tags import PROCESS_TAG, SCENARIO_TAG, TARGET_TAG
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.endurance.endurance import REAL_HOUR_S
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.lifeline import own_stamp
from perf_pipeline.samples.campaign.campaign import Campaign
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.first_partition import partition_start

GROUP = "endurance"
POOL = "endurance"
"""Of runs that play hours: the queue starts the next one when the one before has ended, so that a
backfill plays its hours in order (``concurrency.pools`` in dagster.yaml)."""
CHANGE_S = 15.0
"""What the end of an hour of the clock leaves for the next one to begin in time."""


class SoakConfig(dg.Config):
    """The campaign that ``soak_target`` begins."""

    scenario: str = Field(
        default="endurance", description="What every hour plays: a scenario's name, or its file."
    )
    hours: float | None = Field(
        default=None, gt=0, description="Hours of the campaign. Empty: the scenario's."
    )
    hour_seconds: float | None = Field(
        default=None,
        gt=0,
        description="Length of an hour; other than 3600 the evidence is scaled. Empty: the "
        "scenario's.",
    )
    rate_per_s: float | None = Field(
        default=None, gt=0, description="Arrivals a second. Empty: the scenario's."
    )
    new_campaign: bool = Field(
        default=False, description="Begin a campaign, also where one still has hours to come."
    )
    results_dir: str | None = RESULTS_DIR
    wait: str = WAIT


class HourConfig(dg.Config):
    """How an hour is played."""

    results_dir: str | None = RESULTS_DIR
    wait: str = WAIT


@dg.asset(group_name=GROUP, kinds={"python"}, owners=OWNERS, pool=POOL)
def soak_target(
    context: dg.AssetExecutionContext, config: SoakConfig
) -> dg.MaterializeResult[None]:
    """The target in a process that outlives the Dagster run, and the campaign that hours join.

    A campaign that has hours to come goes on; otherwise another one begins.
    """
    from perf_pipeline.campaign.planned_campaign import planned_campaign
    from perf_pipeline.endurance_run import begin_campaign, end_target

    folder = current_campaign(context.instance)
    with ending_as_canceled(context):
        if folder is None or config.new_campaign or is_over(folder):
            if folder is not None:
                end_target(folder)
            folder = begin_campaign(
                planned_campaign(
                    open_scenario(config.scenario, read_machine_limits()),
                    hours=config.hours,
                    hour_seconds=config.hour_seconds,
                    rate_per_s=config.rate_per_s,
                ),
                settings_with(config.results_dir),
                notify=notifier(context.log),
                wait_s=parse_duration(config.wait, "wait"),
            )
        campaign = folder.campaign()
    tag_run(context, campaign)
    return dg.MaterializeResult(metadata=campaign_metadata(folder, campaign))


@dg.asset(
    group_name=GROUP,
    kinds={"python", "sqlite"},
    owners=OWNERS,
    partitions_def=HOURS,
    pool=POOL,
    deps=[
        soak_target,
        dg.AssetDep(
            "endurance_hour",
            partition_mapping=dg.TimeWindowPartitionMapping(start_offset=-1, end_offset=-1),
        ),
    ],
)
def endurance_hour(
    context: dg.AssetExecutionContext, config: HourConfig
) -> dg.MaterializeResult[None]:
    """One hour of constant load on the target that lives across the hours.

    The first partition of a campaign is its hour 0. An hour that was measured already is recorded
    again and not played; one that was left out stays a gap.
    """
    from assets.shown.endurance import hour_metadata
    from perf_pipeline.endurance_run import end_campaign, play_hour

    partition = context.partition_key
    with ending_as_canceled(context):
        folder = campaign_to_join(context.instance)
        place = place_of(folder, partition)
        campaign = folder.campaign()
        tag_run(context, campaign)
        if place.missing:
            context.log.warning(f"hours without a result before this one: {place.missing}")
        hang_up_as_terminate()
        hour = place.measured or play_hour(
            folder,
            settings_with(config.results_dir),
            place.hour,
            partition=partition,
            length_s=length_of(campaign, partition, datetime.now(UTC)),
            notify=notifier(context.log),
            on_progress=ProgressLog(context),
            wait_s=parse_duration(config.wait, "wait"),
        )
        if is_over(folder):
            end_campaign(folder)
    return dg.MaterializeResult(metadata=hour_metadata(campaign, hour))


def length_of(campaign: Campaign, partition: str, now: datetime) -> float | None:
    """Return how long a real hour of the clock may take that has begun, s; else None.

    It ends before the next one begins, or each would begin later than the one before.
    """
    elapsed_s = (now - partition_start(partition)).total_seconds()
    is_current = 0 <= elapsed_s < REAL_HOUR_S / 2
    if campaign.hour_seconds != REAL_HOUR_S or not is_current:
        return None
    return REAL_HOUR_S - elapsed_s - CHANGE_S


def tag_run(context: dg.OpExecutionContext | dg.AssetExecutionContext, campaign: Campaign) -> None:
    """Tag the Dagster run with what people filter for, and with the process that executes it."""
    context.instance.add_run_tags(
        context.run.run_id,
        {
            SCENARIO_TAG: campaign.scenario,
            TARGET_TAG: campaign.target,
            PROCESS_TAG: json.dumps(own_stamp()),
        },
    )


def campaign_metadata(
    folder: CampaignFolder, campaign: Campaign
) -> dict[str, str | float | dg.MetadataValue]:
    """Return what a campaign plays, and its folder, by which hours find it."""
    return {
        FOLDER: dg.MetadataValue.path(str(folder.root.resolve())),
        "campaign": campaign.campaign_id,
        "target": campaign.target,
        "rate_per_s": campaign.rate_per_s,
        "hours": campaign.hours,
        "hour_seconds": campaign.hour_seconds,
        "evidence": campaign.evidence,
    }
