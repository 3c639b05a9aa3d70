"""A backfill of endurance hours in the Dagster UI, in a real browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
import pytest
from playwright.sync_api import Page, expect

from perf_pipeline.endurance_run import end_target
from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.first_partition import partition_at
from tests.assets.conftest import instance_of
from tests.assets.endurance.soak_scenario import soak_scenario
from tests.sandbox import until

if TYPE_CHECKING:
    from tests.ui.conftest import Ui

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(900)]

HOURS, HOUR_S = 4, 10.0
BACKFILL_S = 600
"""The daemon looks every 30 s for the next partition, and a run starts within 15 s."""


def test_four_hours_are_played_by_a_backfill_of_the_ui(ui: Ui, page: Page) -> None:
    """In order, on one process of the target; the partitions of the asset's page say so."""
    scenario = soak_scenario(ui.sandbox, HOURS, HOUR_S)
    _begin_campaign(ui, str(scenario))
    now = datetime.now(UTC)
    first, last = (partition_at(now - timedelta(hours=hour)) for hour in (HOURS - 1, 0))
    page.goto(f"{ui.address}assets/endurance_hour")
    page.get_by_role("button", name="Materialize").first.click()
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_role("textbox").first
    field.fill(f"[{first}...{last}]")
    field.press("Enter")
    dialog.get_by_role("button", name="Launch").last.click()
    assert until(lambda: len(_materialized(ui)) == HOURS, BACKFILL_S), _materialized(ui)
    (root,) = ui.sandbox.results.glob("endurance-*")
    try:
        stored = stored_campaign(root)
        assert [one.hour for one in stored.hours] == list(range(HOURS))
        assert stored.breaks == ()
        begun = [one.begun_s for one in stored.hours]
        assert begun == sorted(begun)
    finally:
        end_target(CampaignFolder(root))
    page.goto(f"{ui.address}assets/endurance_hour?view=partitions&partition={last}")
    expect(page.get_by_text("p99_s").first).to_be_visible()


def _begin_campaign(ui: Ui, scenario: str) -> None:
    """Materialize ``soak_target`` in the instance of the UI."""
    config = ui.sandbox.folder / "soak.yaml"
    config.write_text(
        f"ops: {{soak_target: {{config: {{scenario: {scenario!r}, "
        f"results_dir: {str(ui.sandbox.results)!r}}}}}}}",
        encoding="utf-8",
    )
    ran = ui.sandbox.dagster(
        *("asset", "materialize", "--select", "soak_target", "-c", str(config))
    )
    assert ran.returncode == 0, ran.stdout


def _materialized(ui: Ui) -> set[str]:
    with instance_of(ui.sandbox.dagster_home) as instance:
        return instance.get_materialized_partitions(dg.AssetKey("endurance_hour"))
