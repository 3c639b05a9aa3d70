"""The trend of a campaign: its verdicts and, where it leaks, the places in the code that grew."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.allocation_run import trace_growth
from perf_pipeline.analysis.allocations.growth_places import Traced, no_growth_places
from perf_pipeline.campaign.campaign_judging import judge_campaign
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.loadgen.checked_run import read_checked_run
from perf_pipeline.loadgen.endurance.attachment import connect
from perf_pipeline.metrics.allocations.growth_file import read_growth_places, write_growth_places
from perf_pipeline.samples.run_folder import new_run_id
from perf_pipeline.worker.tracing.trace_job import TraceJob

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces
    from perf_pipeline.samples.campaign.campaign import Campaign
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from perf_pipeline.samples.campaign.verdicts import Verdicts

ARM_SHARE = 0.25
ARM_MIN_S, ARM_MAX_S = 120.0, 900.0
"""How long the second arm takes at most: a share of the time of all hours, within these bounds."""

STILL_LIVES = (
    "the target of the campaign still lives, and a second arm beside it would disturb its hours; "
    "it is played when the campaign is judged after its end"
)


def judge_trend(
    folder: CampaignFolder,
    settings: Settings,
    *,
    trace: TraceJob | None = None,
    notify: Callable[[str], None] = lambda _text: None,
    wait_s: float = DEFAULT_WAIT_S,
) -> Verdicts:
    """Judge a campaign over its hours so far; of one that leaks, name the places that grew.

    A second, short arm plays its workflows on its target with allocations traced. What that finds
    is stored in the campaign's folder, and the arm is never played again; where it could not be
    played, the reason is stored, and the next time it is tried again.

    Args:
        folder: The campaign.
        settings: Where things are.
        trace: How much the second arm plays; None for the usual amount, in a time of ``arm_of``.
        notify: Called with each line that people should see.
        wait_s: How long the second arm waits for another load run on this host to end.

    Raises:
        RunFolderError: A file of the campaign is damaged.
    """
    verdicts = judge_campaign(folder)
    if verdicts.leak == "leak" and not _is_traced(folder):
        asked = trace or arm_of(folder.campaign())
        found = _traced(folder, settings, asked, notify, wait_s)
        write_growth_places(folder.growth_file, found)
    return verdicts


def arm_of(campaign: Campaign) -> TraceJob:
    """Return how much the second arm of a campaign plays."""
    length_s = ARM_SHARE * campaign.hours * campaign.hour_seconds
    return TraceJob(limit_s=min(max(length_s, ARM_MIN_S), ARM_MAX_S))


def _is_traced(folder: CampaignFolder) -> bool:
    file = folder.growth_file
    return file.exists() and not read_growth_places(file).problem


def _traced(
    folder: CampaignFolder,
    settings: Settings,
    trace: TraceJob,
    notify: Callable[[str], None],
    wait_s: float,
) -> GrowthPlaces:
    """Play the second arm; what prevents it is the problem of what is returned."""
    checked = read_checked_run(folder.scenario_file)
    scenario = checked.scenario
    living = connect(folder)
    if living is None:
        try:
            return trace_growth(
                scenario,
                settings,
                trace=trace,
                environment=checked.environments.get(scenario.target),
                notify=notify,
                wait_s=wait_s,
            )
        except PerfPipelineError as error:
            why = str(error)
    else:
        living.close()
        why = STILL_LIVES
    notify(f"allocations: not traced: {why}")
    not_traced = Traced(
        trace_id=new_run_id(datetime.now(UTC)),
        scenario=scenario.name,
        target=scenario.target,
        seed=scenario.seed,
        in_flight=0,
        warm_up_asked=trace.warm_up_workflows,
    )
    return no_growth_places(not_traced, why)
