"""``start --monitoring``: a real Prometheus and Alertmanager that stay until they are stopped."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.dashboard.monitoring_watch import MonitoringWatch
from perf_pipeline.errors import ServiceUnavailableError
from perf_pipeline.monitoring.scrape_target import register
from perf_pipeline.servers.lifecycle.persistent_servers import read_persistent, stop_servers
from perf_pipeline.servers.lifecycle.services import start_servers
from perf_pipeline.servers.monitors.monitor import find_program
from perf_pipeline.servers.monitors.obtain import NEEDED, obtain_monitoring
from perf_pipeline.servers.monitors.start import (
    monitoring_status,
    start_monitoring,
    stop_monitoring,
)
from tests.integration.conftest import settings_in
from tests.integration.runs.traces import folders_in
from tests.sandbox import until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.dashboard.monitoring_seen import MonitoringSeen

pytestmark = pytest.mark.integration


@pytest.fixture
def monitored(tmp_path: Path) -> Settings:
    """Settings whose folders are the test's own, with the programs of the user's cache."""
    users = current_settings()
    messages: list[str] = []
    if not obtain_monitoring(users, messages.append):
        pytest.skip("\n".join(messages))
    return replace(settings_in(tmp_path), cache_dir=users.cache_dir)


def asked(url: str, path: str) -> Any:
    """Return what Prometheus or Alertmanager answers."""
    with urllib.request.urlopen(url + path, timeout=10) as answer:  # noqa: S310 - loopback
        return json.load(answer)


def metrics_text(url: str) -> str:
    """Return what an exporter serves."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310 - loopback
        return str(answer.read(), "utf-8")


def test_what_is_started_is_scraped_and_stopped_with_all_that_it_left(monitored: Settings) -> None:
    """Prometheus scrapes itself, Alertmanager, machine and servers; starting twice starts once.

    Each exporter reaches its server: one that runs and does not is a false alert ServerDown.
    """
    servers = start_servers(monitored, ["postgres", "redis"], pytest.fail)
    try:
        started = start_monitoring(monitored, servers, pytest.fail)
        urls = {one.service: one.url for one in started}
        exporters = {"node_exporter", "postgres_exporter", "redis_exporter"}
        assert set(urls) == {"prometheus", "alertmanager", *exporters}
        assert "\npg_up 1\n" in metrics_text(urls["postgres_exporter"])
        assert "\nredis_up 1\n" in metrics_text(urls["redis_exporter"])
        assert {one.url for one in start_monitoring(monitored, servers, pytest.fail)} == set(
            urls.values()
        )
        assert {one.health for one in monitoring_status(monitored)} == {"good"}
        assert monitored.scrape_dir is not None  # so that runs are scraped from now on
        register(monitored.scrape_dir, "a-run", "127.0.0.1:9", {"scenario": "s"})
        serves = urls["node_exporter"].removeprefix("http://")
        register(monitored.scrape_dir, "scraped-run", serves, {"scenario": "s"})

        def jobs() -> dict[str, str]:
            targets = asked(urls["prometheus"], "/api/v1/targets")["data"]["activeTargets"]
            labels = [one["labels"] for one in targets]
            named = [one.get("run_id", one["job"]) for one in labels]
            return {name: one["health"] for name, one in zip(named, targets, strict=True)}

        up = dict.fromkeys(("prometheus", "alertmanager", "node", "postgres", "redis"), "up")
        runs = {"a-run": "down", "scraped-run": "up"}
        assert until(lambda: jobs() == {**up, **runs}, 60), jobs()
        seen_by_the_dashboard(monitored, urls)
        found = asked(urls["prometheus"], "/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        assert [one["url"] for one in found] == [f"{urls['alertmanager']}/api/v2/alerts"]
        noted = [read_persistent(monitored.state_dir, one.service) for one in started]
        listening = {
            address.laddr.ip
            for one in noted
            if one
            for address in psutil.Process(one.server.pid).net_connections("tcp")
            if address.status == psutil.CONN_LISTEN
        }
        assert listening == {"127.0.0.1"}
        exporter_of_a_stopped_server(monitored)
    finally:
        stopped = stop_monitoring(monitored)
        stop_servers(monitored, ["postgres", "redis"])
    assert set(stopped) == set(urls)
    assert monitored.scrape_dir is None
    assert folders_in(monitored.temp_dir) == []
    assert monitoring_status(monitored) == []


def exporter_of_a_stopped_server(monitored: Settings) -> None:
    """It answers and fails, until its server is started again, at another port."""
    stop_servers(monitored, ["redis"])
    (failing,) = [one for one in monitoring_status(monitored) if one.health != "good"]
    assert (failing.service, failing.state) == ("redis_exporter", "answers")
    assert "redis_up is 0" in failing.detail
    assert "start --monitoring" in failing.detail
    start_monitoring(monitored, start_servers(monitored, ["redis"], pytest.fail), pytest.fail)
    assert {one.health for one in monitoring_status(monitored)} == {"good"}


def seen_by_the_dashboard(monitored: Settings, urls: dict[str, str]) -> None:
    """It links to both, knows which run is scraped, and has an alert that was raised for a run."""
    labels = {"alertname": "Planted", "run_id": "scraped-run", "severity": "warning"}
    body = json.dumps([{"labels": labels, "annotations": {"summary": "a planted alert"}}]).encode()
    sent = urllib.request.Request(  # noqa: S310 - loopback
        urls["alertmanager"] + "/api/v2/alerts", body, {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(sent, timeout=10).close()  # noqa: S310 - loopback

    def seen() -> MonitoringSeen:
        return MonitoringWatch(monitored.state_dir).look()

    assert until(lambda: "scraped-run" in (seen().firing or {}), 30), seen()
    found = seen()
    assert found.pages == {
        "Prometheus": urls["prometheus"],
        "Alertmanager": urls["alertmanager"],
    }
    assert found.scraped == {"scraped-run"}
    assert found.firing is not None
    ((alert,),) = found.firing.values()
    assert (alert.name, alert.severity.text, alert.text) == (
        "Planted",
        "warning",
        "a planted alert",
    )
    assert alert.since.endswith("UTC")


def test_a_killed_prometheus_is_shown_as_failing_and_started_again(monitored: Settings) -> None:
    try:
        start_monitoring(monitored, [], pytest.fail)
        noted = read_persistent(monitored.state_dir, "prometheus")
        assert noted
        os.kill(noted.server.pid, signal.SIGKILL)
        assert until(lambda: not noted.server.is_alive())
        (failing,) = [one for one in monitoring_status(monitored) if one.health == "failing"]
        assert failing.service == "prometheus"
        assert "start --monitoring" in failing.detail
        start_monitoring(monitored, [], pytest.fail)
        assert {one.health for one in monitoring_status(monitored)} == {"good"}
    finally:
        stop_monitoring(monitored)
    assert folders_in(monitored.temp_dir) == []


def test_without_the_programs_a_sentence_says_how_to_get_them(tmp_path: Path) -> None:
    bare = replace(settings_in(tmp_path), search_path="/nowhere")
    assert not any(find_program(bare, name) for name in NEEDED)
    with pytest.raises(ServiceUnavailableError, match=r"prometheus-alertmanager is missing: .make"):
        start_monitoring(bare, [], pytest.fail)
    said: list[str] = []
    assert not obtain_monitoring(bare, said.append)
    assert "apt-get and dpkg not found" in said[0]
