"""The folder of a campaign: its hours in order, whatever is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.campaign.campaign import write_campaign
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.hour import DEADLINE, Hour, write_hour
from tests.unit.samples.campaign.test_campaign_clock import CAMPAIGN

if TYPE_CHECKING:
    from pathlib import Path

HOUR = Hour(
    hour=0,
    partition="2026-11-29-23:00",
    boot_id="b",
    begun_s=1.0,
    ended_s=3601.0,
    gap_before_s=1.0,
    ended_because=DEADLINE,
    scheduled=10,
    ok=7,
    errors=1,
    timeouts=1,
    dropped=0,
    abandoned=1,
    throughput_per_s=7 / 3600,
    p50_s=0.1,
    p99_s=None,
    error_ratio=2 / 9,
    cpu_per_workflow_s=None,
)


def test_hours_are_read_back_equal_and_one_that_was_killed_is_missing(tmp_path: Path) -> None:
    folder = CampaignFolder.of(tmp_path, "c")
    for number in (10, 2, 0, 1):
        folder.hour_folder(number).mkdir(parents=True)
        if number != 1:
            write_hour(folder.hour_file(number), replace(HOUR, hour=number))
    write_campaign(folder.campaign_file, CAMPAIGN)
    assert folder.campaign() == CAMPAIGN
    assert folder.hours() == [HOUR, replace(HOUR, hour=2), replace(HOUR, hour=10)]
    assert folder.begun_hours() == [0, 1, 2, 10]
    assert folder.signals(0) == []


@pytest.mark.parametrize("name", ["20261129_230000-4f2c", "endurance-", "endurance-../x"])
def test_a_folder_of_another_name_is_no_campaign(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunFolderError):
        CampaignFolder(tmp_path / name)
