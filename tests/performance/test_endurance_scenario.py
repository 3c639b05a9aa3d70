"""What the old framework's endurance scenario claims, in two hours of four seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline import LoadTestConfig, LoadTestFramework
from perf_pipeline.report.endurance.stored_campaign import stored_campaign

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign

pytestmark = [
    pytest.mark.alone,  # the gap between two hours is judged
    pytest.mark.integration,
    pytest.mark.performance,
    pytest.mark.requires_postgres,
]

HOURS, HOUR_S, RATE_PER_S = 2, 4.0, 20.0
"""As short as can be, and all that hours of 3600 s have."""

CONFIG = LoadTestConfig(
    concurrent_workflows=50,
    ramp_up_duration=1,
    cooldown_duration=0,
    metrics_collection_interval=1,
)


@pytest.fixture(scope="module")
def stored(module_settings: Settings) -> StoredCampaign:
    """A campaign that has been played to its end."""
    framework = LoadTestFramework(CONFIG, settings=module_settings, nodes="lean")
    found = framework.run_endurance_test(HOURS, rate_per_s=RATE_PER_S, hour_seconds=HOUR_S)
    assert len(found) == HOURS
    (root,) = module_settings.results_dir.glob("endurance-*")
    return stored_campaign(root)


def test_all_hours_run_on_one_process_without_a_gap(stored: StoredCampaign) -> None:
    assert [one.hour for one in stored.hours] == [0, 1]
    assert [one.ended_because for one in stored.hours] == ["deadline", "deadline"]
    assert stored.breaks == ()
    first, second = stored.hours
    assert second.begun_s - first.ended_s == pytest.approx(0, abs=0.5)


def test_every_workflow_of_the_plan_is_accounted_for_and_ends_well(stored: StoredCampaign) -> None:
    for one in stored.hours:
        assert one.scheduled == RATE_PER_S * HOUR_S
        ended = one.ok + one.errors + one.timeouts + one.dropped + one.abandoned
        assert ended == one.scheduled
        assert one.ok >= 0.95 * one.scheduled


def test_every_signal_has_a_verdict_and_so_short_a_run_proves_nothing(
    stored: StoredCampaign,
) -> None:
    """A leak in eight seconds is beyond anybody's sight, and its absence as well."""
    assert stored.verdicts is not None
    judged = {one.name: one.verdict for one in stored.verdicts.leaks}
    assert judged.keys() == set(stored.signal_names)
    assert {"target.heap_blocks", "target.uss_bytes", "machine.calibration_s"} <= judged.keys()
    assert stored.verdicts.leak == "inconclusive"
    assert stored.campaign.evidence == "scaled"
