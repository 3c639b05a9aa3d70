"""A campaign of six hours with a leak, a missing hour, a gap and a restart, written by hand."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from perf_pipeline.samples.campaign.campaign import Campaign, evidence_of, write_campaign
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.hour import DEADLINE, Hour, write_hour
from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict, LeakWord
from perf_pipeline.samples.campaign.signal_sample import SignalSample, append_sample
from perf_pipeline.samples.campaign.verdicts import (
    ChangePoint,
    DegradationVerdict,
    ErrorsVerdict,
    Verdicts,
)

if TYPE_CHECKING:
    from pathlib import Path

CAMPAIGN_ID = "20260114_093012-4f2c"
HOURS, MISSING, LATE, RESTARTED = 6, 2, 3, 4
"""The third hour has no result, so the fourth follows a gap; the fifth is on a new process."""

RATE_PER_S = 20.0
SAMPLE_EACH_S = 2.0


def leak_verdict(
    name: str, verdict: LeakWord, growth: float, interval: tuple[float, float], **more: Any
) -> LeakVerdict:
    """Return a verdict on a signal, with a level of 100 and no limit unless they are given."""
    given = {
        "growth_per_1000_workflows": None,
        "interval_per_1000_workflows": None,
        "smallest_visible": None,
        "growth_percent_per_day": None,
        "level": 100.0,
        "hours": float(HOURS),
        "limit": None,
        "hours_to_limit": None,
        "warm_up_hours": None,
        "warm_up_workflows": None,
        "step": None,
        "step_hour": None,
        "leak_probability": 0.5,
        "reason": "planted",
        **more,
    }
    return LeakVerdict(
        name=name, verdict=verdict, growth_per_hour=growth, interval=interval, **given
    )


LEAK = leak_verdict(
    "target.heap_blocks",
    "leak",
    1200.0,
    (1150.0, 1250.0),
    growth_per_1000_workflows=1000.0,
    smallest_visible=40.0,
    level=303_600.0,
    limit=400_000.0,
    hours_to_limit=72.5,
    warm_up_hours=0.5,
    reason="the floors of the last half grow by 1200 an hour",
)
CLEAN = leak_verdict(
    "target.uss_bytes", "clean", 1e3, (-2e4, 2.2e4), level=90e6, limit=1e9, reason="no growth"
)
DOUBT = leak_verdict(
    "redis.used_memory_bytes", "inconclusive", 4e5, (-1e5, 9e5), level=2e6, reason="too few floors"
)
VERDICTS = Verdicts(
    leaks=(CLEAN, DOUBT, LEAK),
    degradation=(
        DegradationVerdict("throughput_per_s", 0.02, (-0.01, 0.05), 0.1, "proven_absent"),
        DegradationVerdict("p99_s", 0.08, (-0.1, 0.26), 0.1, "inconclusive"),
    ),
    errors=ErrorsVerdict("stable", 1.0, (0.8, 1.25)),
    change_points=(ChangePoint("p99_s", 4, 1.3),),
    leak="leak",
    leak_reasons=("target.heap_blocks is leak: the floors of the last half grow by 1200 an hour",),
    twin="caught",
)


def write_planted_campaign(
    results: Path, hour_seconds: float = 60.0, verdicts: Verdicts | None = VERDICTS
) -> Path:
    """Write the campaign into a results folder; return its folder."""
    folder = CampaignFolder.of(results, CAMPAIGN_ID)
    folder.root.mkdir(parents=True)
    per_hour = round(RATE_PER_S * hour_seconds)
    campaign = Campaign(
        campaign_id=CAMPAIGN_ID,
        scenario="endurance",
        target="kailash",
        rate_per_s=RATE_PER_S,
        seed=7,
        hours=HOURS,
        hour_seconds=hour_seconds,
        evidence=evidence_of(hour_seconds),
        begun_utc="2026-01-14T09:30:12+00:00",
        workflows_per_hour=per_hour,
    )
    write_campaign(folder.campaign_file, campaign)
    for hour in range(HOURS):
        if hour != MISSING:
            _write_hour(folder, hour, hour_seconds, per_hour)
    if verdicts is not None:
        stored = {"schema_version": 1, **asdict(verdicts)}
        (folder.root / "verdicts.json").write_text(json.dumps(stored), encoding="utf-8")
    return folder.root


def _write_hour(folder: CampaignFolder, hour: int, hour_seconds: float, per_hour: int) -> None:
    begun_s = hour * hour_seconds
    folder.hour_folder(hour).mkdir(parents=True)
    boot = "boot-b" if hour >= RESTARTED else "boot-a"
    write_hour(
        folder.hour_file(hour),
        Hour(
            hour=hour,
            partition=f"2026-01-14-{9 + hour:02}:00",
            boot_id=boot,
            begun_s=begun_s,
            ended_s=begun_s + hour_seconds,
            gap_before_s=hour_seconds if hour == LATE else 0.0,
            ended_because="the target was killed" if hour == RESTARTED - 1 else DEADLINE,
            scheduled=per_hour,
            ok=per_hour - 3,
            errors=1,
            timeouts=1,
            dropped=1,
            abandoned=0,
            throughput_per_s=RATE_PER_S,
            p50_s=0.004,
            p99_s=None if hour == 0 else 0.02,
            error_ratio=3 / per_hour,
            cpu_per_workflow_s=0.0031,
        ),
    )
    first_of_boot = RESTARTED if hour >= RESTARTED else 0
    with folder.signals_file(hour).open("w", encoding="utf-8") as file:
        for at in range(int(hour_seconds / SAMPLE_EACH_S)):
            seconds = begun_s + at * SAMPLE_EACH_S
            workflows = round((seconds - first_of_boot * hour_seconds) * RATE_PER_S)
            values = {
                "target.heap_blocks": 300_000.0 + workflows,
                "target.uss_bytes": 90e6 + 1e6 * (at % 5),
                "redis.used_memory_bytes": 2e6,
                "machine.calibration_s": 0.010,
            }
            append_sample(file, SignalSample(seconds, workflows, values))
