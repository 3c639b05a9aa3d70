"""A campaign of real hours whose signals are whatever a function of time says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.endurance.endurance import Endurance
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.loadgen.checked_run import CheckedRun
from perf_pipeline.samples.campaign.campaign import Campaign, evidence_of, write_campaign
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.hour import DEADLINE, Hour, write_hour
from perf_pipeline.samples.campaign.signal_sample import SignalSample, append_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

CAMPAIGN_ID = "20260114_093012-4f2c"
BOOT_ID = "boot-a"
HOUR_S, SAMPLE_S, RATE_PER_S = 3600.0, 30.0, 10.0


def write_sampled_campaign(
    results: Path,
    values_of: Callable[[float], dict[str, float]],
    *,
    hours: int = 6,
    gaps_s: Mapping[int, float] | None = None,
    rate_of: Callable[[float], float] = lambda _hour: RATE_PER_S,
    scenario: Scenario | None = None,
) -> CampaignFolder:
    """Write a campaign into a results folder; return its folder.

    Args:
        results: The results folder.
        values_of: Gives the signals at a time, in hours since the campaign began.
        hours: How many.
        gaps_s: Hour to the time without load before it.
        rate_of: Gives the workflows that end a second at a time, in hours.
        scenario: What is played.
    """
    folder = CampaignFolder.of(results, CAMPAIGN_ID)
    folder.boots.joinpath(BOOT_ID).mkdir(parents=True)
    campaign = Campaign(
        campaign_id=CAMPAIGN_ID,
        scenario="soaked",
        target="callable",
        rate_per_s=RATE_PER_S,
        seed=7,
        hours=hours,
        hour_seconds=HOUR_S,
        evidence=evidence_of(HOUR_S),
        begun_utc="2026-01-14T09:30:12+00:00",
        workflows_per_hour=round(RATE_PER_S * HOUR_S),
    )
    write_campaign(folder.campaign_file, campaign)
    played = scenario or Scenario("soaked", target="callable", endurance=Endurance(RATE_PER_S))
    folder.scenario_file.write_bytes(CheckedRun(CAMPAIGN_ID, played, {}).to_json())
    begun_s = workflows = 0.0
    for hour in range(hours):
        gap_s = (gaps_s or {}).get(hour, 0.0)
        begun_s += gap_s
        folder.hour_folder(hour).mkdir(parents=True)
        with folder.signals_file(hour).open("w", encoding="utf-8") as file:
            for at in range(int(HOUR_S / SAMPLE_S)):
                seconds = begun_s + (at + 1) * SAMPLE_S
                workflows += SAMPLE_S * rate_of(seconds / HOUR_S)
                values = values_of(seconds / HOUR_S)
                append_sample(file, SignalSample(seconds, round(workflows), values))
        write_hour(folder.hour_file(hour), _hour(hour, begun_s, gap_s))
        begun_s += HOUR_S
    return folder


def _hour(hour: int, begun_s: float, gap_s: float) -> Hour:
    scheduled = round(RATE_PER_S * HOUR_S)
    return Hour(
        hour=hour,
        partition="",
        boot_id=BOOT_ID,
        begun_s=begun_s,
        ended_s=begun_s + HOUR_S,
        gap_before_s=gap_s,
        ended_because=DEADLINE,
        scheduled=scheduled,
        ok=scheduled,
        errors=0,
        timeouts=0,
        dropped=0,
        abandoned=0,
        throughput_per_s=RATE_PER_S,
        p50_s=0.004,
        p99_s=0.02,
        error_ratio=0.0,
        cpu_per_workflow_s=0.003,
    )
