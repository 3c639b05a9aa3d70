"""Twenty-four hours of which two are killed: complete, with two recorded gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.campaign.hour_player import KILLED
from perf_pipeline.endurance_run import end_target
from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.samples.campaign.first_partition import partition_at
from tests.assets.endurance.soak_scenario import soak_scenario
from tests.sandbox import BIN, WAIT_S, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(1500)]

HOURS, HOUR_S = 24, 2.0
KILLED_HOURS = (5, 14)


def test_of_24_hours_two_are_killed_and_none_is_lost(sandbox: Sandbox) -> None:
    """The next hour recovers what the journal of a killed one holds; its target lives on."""
    scenario = soak_scenario(sandbox, HOURS, HOUR_S)
    config = sandbox.folder / "soak.yaml"
    fields = f"scenario: {str(scenario)!r}, results_dir: {str(sandbox.results)!r}"
    config.write_text(f"ops: {{soak_target: {{config: {{{fields}}}}}}}", encoding="utf-8")
    begun = sandbox.dagster("asset", "materialize", "--select", "soak_target", "-c", str(config))
    assert begun.returncode == 0, begun.stdout
    root = max(sandbox.results.glob("endurance-*"))
    now = datetime.now(UTC)
    try:
        for hour in range(HOURS):
            partition = partition_at(now - timedelta(hours=HOURS - 1 - hour))
            command = ("asset", "materialize", "--select", "endurance_hour")
            if hour in KILLED_HOURS:
                _kill(sandbox, root, hour, (*command, "--partition", partition))
                continue
            ran = sandbox.dagster(*command, "--partition", partition)
            assert ran.returncode == 0, ran.stdout
    finally:
        end_target(CampaignFolder(root))
    stored = stored_campaign(root)
    assert [one.hour for one in stored.hours] == list(range(HOURS))
    because = {one.hour: one.ended_because for one in stored.hours if not one.ran_to_end}
    assert because == dict.fromkeys(KILLED_HOURS, KILLED)
    assert {hour + 1 for hour in KILLED_HOURS} <= {one.hour for one in stored.gaps}
    assert stored.breaks == ()
    assert sum(one.ok for one in stored.hours) > 0.9 * 40 * HOUR_S * (HOURS - len(KILLED_HOURS))


def _kill(sandbox: Sandbox, root: Path, hour: int, command: tuple[str, ...]) -> None:
    """Begin an hour, and kill its process while its load runs."""
    process = sandbox.start(
        str(BIN / "dagster"), *command, "-m", "assets.definitions", log=sandbox.folder / "killed"
    )
    signals = root / f"hours/{hour:03d}/signals.jsonl"
    assert until(lambda: signals.exists() and signals.stat().st_size > 0, WAIT_S)
    process.kill()
    process.wait()
