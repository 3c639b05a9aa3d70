"""A backfill as somebody launches it in the UI, and what becomes of the runs that it queues."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from playwright.sync_api import expect

from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from perf_pipeline.samples.campaign.first_partition import partition_at
from tests.assets.conftest import instance_of
from tests.sandbox import until

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
    from tests.sandbox import Sandbox

HOURLY = "locations/perf_pipeline/jobs/endurance_hourly"


def last_hours(hours: int) -> list[str]:
    """Return the partitions of the last hours of the clock, the current one included."""
    now = datetime.now(UTC)
    return [partition_at(now - timedelta(hours=hour)) for hour in reversed(range(hours))]


def open_dialog(page: Page) -> Locator:
    """Press the button of a page that materializes; return the dialog with the partitions."""
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("Partition selection")).to_be_visible()
    return dialog


def launch_hours(page: Page, partitions: list[str]) -> None:
    """Launch a backfill of hours from a page that materializes them."""
    dialog = open_dialog(page)
    field = dialog.get_by_role("textbox").first
    field.fill(f"[{partitions[0]}...{partitions[-1]}]")
    field.press("Enter")
    launch(dialog)


def launch(dialog: Locator) -> None:
    """Press the button of a dialog whose partitions are chosen."""
    dialog.get_by_role("button", name="Launch backfill").click()
    expect(dialog).to_be_hidden()


def wait_for_runs(sandbox: Sandbox, count: int, since: datetime, within_s: float) -> Counter[str]:
    """Wait until so many runs of a backfill have ended; returns how many in which state.

    Args:
        sandbox: Where they are.
        count: How many partitions it has.
        since: When it was launched, or shortly before.
        within_s: Limit.
    """
    found: Counter[str] = Counter()

    def ended() -> bool:
        with instance_of(sandbox.dagster_home) as instance:
            runs = instance.get_runs(dg.RunsFilter(created_after=since))
        found.clear()
        found.update(run.status.value for run in runs if "dagster/backfill" in run.tags)
        is_over = all(run.is_finished for run in runs)
        return is_over and found.total() == count

    assert until(ended, within_s, every_s=1.0), f"{found} after {within_s:g} s"
    return found


def materialized(sandbox: Sandbox, asset: str) -> set[str]:
    """Return the partitions of an asset that have been materialized."""
    with instance_of(sandbox.dagster_home) as instance:
        return instance.get_materialized_partitions(dg.AssetKey(asset))


def played_in_order(folder: CampaignFolder, partitions: list[str]) -> StoredCampaign:
    """See that each hour was played to its end, in order, on one process; return the campaign."""
    stored = stored_campaign(folder.root)
    assert [one.partition for one in stored.hours] == partitions
    assert all(one.ran_to_end for one in stored.hours)
    assert stored.breaks == ()
    return stored
