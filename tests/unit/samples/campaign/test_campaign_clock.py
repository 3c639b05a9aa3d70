"""Seconds since a campaign began, on this boot of the host and on a later one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from perf_pipeline.samples.campaign.campaign import Campaign, evidence_of
from perf_pipeline.samples.campaign.campaign_clock import CampaignClock

BEGUN = datetime(2026, 11, 29, 23, tzinfo=UTC)
CAMPAIGN = Campaign(
    campaign_id="c",
    scenario="endurance",
    target="kailash",
    rate_per_s=10.0,
    seed=1,
    hours=24,
    hour_seconds=3600.0,
    evidence="real",
    begun_utc=BEGUN.isoformat(),
    workflows_per_hour=36_000,
    begun_ns=5_000_000_000,
    kernel_boot_id="first",
)


def test_the_wall_clock_may_be_set_while_the_kernel_runs() -> None:
    """An hour of CLOCK_MONOTONIC has passed, and the wall clock was set back by a day."""
    clock = CampaignClock.of(
        CAMPAIGN, kernel_boot_id="first", now_ns=0, now_utc=BEGUN - timedelta(days=1)
    )
    assert clock.seconds(3_605_000_000_000) == 3600.0


def test_after_a_boot_of_the_host_the_wall_clock_tells_the_time() -> None:
    """CLOCK_MONOTONIC began anew: 100 s after the boot, two hours after the campaign's begin."""
    clock = CampaignClock.of(
        CAMPAIGN,
        kernel_boot_id="second",
        now_ns=100_000_000_000,
        now_utc=BEGUN + timedelta(hours=2),
    )
    assert clock.seconds(100_000_000_000) == 7200.0
    assert clock.seconds(101_000_000_000) == 7201.0


def test_only_hours_of_3600_s_are_real() -> None:
    assert [evidence_of(seconds) for seconds in (3600.0, 3599.0, 10.0)] == [
        "real",
        "scaled",
        "scaled",
    ]
