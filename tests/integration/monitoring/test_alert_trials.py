"""Every alert is seen firing in a real Alertmanager, with all times of the rules scaled.

Six of them are in ``make test`` as well: as figures of ``selftest monitoring`` at size ci.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.selftest.alert_trials.play import GROUPS, AlertTrial, play_alerts
from perf_pipeline.servers.monitors.obtain import obtain_monitoring
from perf_pipeline.servers.monitors.programs import prometheus_texts

pytestmark = pytest.mark.integration

CAUSES = [cause for group in GROUPS for cause in group.causes]
REAL = [one.alert for one in CAUSES if one.is_real]
PLANTED = [one.alert for one in CAUSES if not one.is_real]


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AlertTrial]:
    """All causes, played side by side once; skipped where the programs cannot be had."""
    users = current_settings()
    messages: list[str] = []
    if not obtain_monitoring(users, messages.append):
        pytest.skip("\n".join(messages))
    folder = tmp_path_factory.mktemp("alerts")
    found = play_alerts(replace(users, temp_dir=folder), folder)
    return {one.cause.alert: one for one in found}


def test_every_alert_has_one_cause() -> None:
    alerts = re.findall(r"- alert: (\w+)", prometheus_texts()["rules/alerts.yml"])
    assert sorted(one.alert for one in CAUSES) == sorted(alerts)


@pytest.mark.slow
@pytest.mark.parametrize("alert", REAL)
def test_the_alert_fires_on_its_real_cause(alert: str, trials: dict[str, AlertTrial]) -> None:
    if trials[alert].why_not_here:
        pytest.skip(trials[alert].why_not_here)
    assert trials[alert].fired_s is not None
    assert not trials[alert].is_early


@pytest.mark.slow
@pytest.mark.parametrize("alert", PLANTED)
def test_the_alert_fires_on_values_planted_in_place_of_an_exporter(
    alert: str, trials: dict[str, AlertTrial]
) -> None:
    assert trials[alert].fired_s is not None
