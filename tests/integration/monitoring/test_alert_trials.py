"""Every alert is seen firing in a real Alertmanager, with all times of the rules scaled."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.selftest.alert_trials.disturbed import can_mount
from perf_pipeline.selftest.alert_trials.play import CAUSES, QUICK, AlertTrial, play_alerts
from perf_pipeline.servers.monitors.obtain import obtain_monitoring
from perf_pipeline.servers.monitors.programs import prometheus_texts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

REAL = [one.alert for one in CAUSES if one.is_real]
PLANTED = [one.alert for one in CAUSES if not one.is_real]


def played(folder: Path, alerts: frozenset[str] | None = None) -> dict[str, AlertTrial]:
    """Play causes; skipped where Prometheus or Alertmanager cannot be had."""
    users = current_settings()
    messages: list[str] = []
    if not obtain_monitoring(users, messages.append):
        pytest.skip("\n".join(messages))
    found = play_alerts(replace(users, temp_dir=folder), folder, alerts=alerts)
    return {one.cause.alert: one for one in found}


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AlertTrial]:
    """All causes, played side by side once."""
    return played(tmp_path_factory.mktemp("alerts"))


def test_every_alert_has_one_cause() -> None:
    alerts = re.findall(r"- alert: (\w+)", prometheus_texts()["rules/alerts.yml"])
    assert sorted(one.alert for one in CAUSES) == sorted(alerts)


def test_a_hanging_and_a_killed_run_missing_data_a_small_disk_and_dead_targets_raise_alerts(
    tmp_path: Path,
) -> None:
    """Six alerts on real causes; the two of the small disk only where it can be mounted."""
    found = played(tmp_path, QUICK)
    assert set(found) >= QUICK - ({"NoData", "DiskLow"} if not can_mount() else set())
    assert {alert for alert, one in found.items() if one.fired_s is None or one.is_early} == set()


@pytest.mark.slow
@pytest.mark.parametrize("alert", REAL)
def test_the_alert_fires_on_its_real_cause(alert: str, trials: dict[str, AlertTrial]) -> None:
    if alert not in trials and not can_mount():
        pytest.skip("this user may not mount a small disk (unshare -Urm is refused)")
    assert trials[alert].fired_s is not None
    assert not trials[alert].is_early


@pytest.mark.slow
@pytest.mark.parametrize("alert", PLANTED)
def test_the_alert_fires_on_values_planted_in_place_of_an_exporter(
    alert: str, trials: dict[str, AlertTrial]
) -> None:
    assert trials[alert].fired_s is not None
