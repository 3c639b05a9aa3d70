"""Which hours are offered, which hour of a campaign a partition is, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.definitions import defs
from assets.endurance.campaigns import is_over, place_of
from assets.endurance.gapless import first_of
from assets.endurance.hours import CHANGE_S, length_of
from assets.endurance.partitions import HOURS, first_day
from assets.endurance.schedule import endurance_current_hour
from assets.partitions.part import PartitionedPart, partitioned_part
from assets.partitions.refused_hour import refused_hour
from perf_pipeline.errors import CampaignError
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.first_partition import first_partition, partition_at
from tests.planted_campaign import write_planted_campaign

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 14, 16, 40, tzinfo=UTC)
COMMAND = ("dagster", "asset", "materialize", "--select", "endurance_hour", "--partition")


@pytest.fixture
def planted(tmp_path: Path) -> CampaignFolder:
    """Hours 0, 1, 3, 4 and 5 of six, from 09:00."""
    folder = CampaignFolder(write_planted_campaign(tmp_path))
    first_partition(folder, otherwise="2026-01-14-09:00")
    return folder


def test_the_hour_that_has_begun_is_the_last_partition() -> None:
    before = partition_at(datetime.now(UTC))
    last = HOURS.get_last_partition_key()
    assert last in {before, partition_at(datetime.now(UTC))}


@pytest.mark.parametrize(("month", "first"), [(1, (2025, 12, 1)), (3, (2026, 2, 1))])
def test_partitions_begin_with_the_month_before(month: int, first: tuple[int, int, int]) -> None:
    """The UI draws each hour since then, at most 1488."""
    assert first_day(NOW.replace(month=month)) == datetime(*first, tzinfo=UTC)


def test_the_schedule_requests_the_hour_that_has_just_begun() -> None:
    due = NOW.replace(minute=0)
    context = dg.build_schedule_context(scheduled_execution_time=due)
    request = endurance_current_hour(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-01-14-16:00"
    assert endurance_current_hour.default_status is dg.DefaultScheduleStatus.STOPPED


def test_a_tick_of_the_schedule_is_one_run_of_the_partition_of_its_hour() -> None:
    """As Dagster evaluates it, which refuses an hour that is no partition of the job."""
    due = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    context = dg.build_schedule_context(
        repository_def=defs.get_repository_def(), scheduled_execution_time=due
    )
    (request,) = endurance_current_hour.evaluate_tick(context).run_requests or ()
    assert request.run_key == partition_at(due)
    assert request.tags["dagster/partition"] == partition_at(due)
    assert endurance_current_hour.job_name == "endurance_hourly"


def test_without_a_gap_real_hours_are_those_of_the_clock_and_scaled_ones_the_last_until_now() -> (
    None
):
    real, scaled = first_of(NOW, 24, 3600.0), first_of(NOW, 24, 10.0)
    assert real.of_hour(0) == "2026-01-14-16:00"
    assert [scaled.of_hour(hour) for hour in (0, 23)] == ["2026-01-13-17:00", "2026-01-14-16:00"]


@pytest.mark.parametrize(("late_s", "length_s"), [(20, 3600 - 20 - CHANGE_S), (2400, None)])
def test_an_hour_of_the_clock_ends_before_the_next_one_begins(
    tmp_path: Path, late_s: int, length_s: float | None
) -> None:
    """One that begins in its second half is no hour of the clock any more, and is a whole one."""
    campaign = CampaignFolder(write_planted_campaign(tmp_path, hour_seconds=3600.0)).campaign()
    now = NOW.replace(minute=0) + timedelta(seconds=late_s)
    assert length_of(campaign, "2026-01-14-16:00", now) == length_s


def test_a_partition_is_the_hour_as_many_hours_after_the_first(planted: CampaignFolder) -> None:
    place = place_of(planted, "2026-01-14-14:00")
    assert (place.hour, place.missing) == (5, (2,))
    assert place.measured is not None
    assert place.measured.hour == 5
    assert is_over(planted)


@pytest.mark.parametrize(
    ("partition", "says"),
    [
        ("2026-01-14-08:00", "which began with 2026-01-14-09:00"),
        ("2026-01-14-15:00", "whose 6 hours end with 2026-01-14-14:00"),
        ("2026-01-14-11:00", "was not measured when its turn was"),
    ],
)
def test_an_hour_that_cannot_be_played_is_refused_in_a_sentence(
    planted: CampaignFolder, partition: str, says: str
) -> None:
    with pytest.raises(CampaignError, match=says):
        place_of(planted, partition)


@pytest.mark.parametrize(
    ("partition", "says"),
    [
        ("2026-01-14-17:00", "2026-01-14-17:00 (UTC) lies in the future"),
        ("tomorrow", '"tomorrow" is no hour: write one like 2026-01-14-16:00'),
        ("2026-01-14-15:30", "is no full hour: write 2026-01-14-15:00"),
        ("2025-01-14-15:00", "lies before 2025-12-01-00:00"),
    ],
)
def test_a_command_that_names_no_hour_to_measure_is_told_why(partition: str, says: str) -> None:
    assert says in refused_hour([*COMMAND, partition], NOW)
    assert says in refused_hour([*COMMAND[:-1], f"--partition={partition}"], NOW)
    assert (
        refused_hour(["dagster", "asset", "materialize", "--select", "release_measurement"], NOW)
        == ""
    )


def test_selecting_everything_begins_no_campaign_and_naming_one_of_its_assets_does() -> None:
    star = ["dagster", "asset", "materialize", "--select", "*"]
    assert partitioned_part(star) == PartitionedPart()
    assert partitioned_part([*star[:-1], "soak_target"]).modules
