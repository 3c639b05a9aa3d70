"""Every query of every board is asked of a real Prometheus that has scraped a real run."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.monitoring_settings import MonitoringSettings
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.monitoring.boards.every_board import panel_queries
from perf_pipeline.scenario_run import run_scenario
from perf_pipeline.selftest.monitoring import NO_PROMETHEUS
from perf_pipeline.selftest.monitoring.asked_prometheus import (
    EVERY_SECOND,
    AskedPrometheus,
    asked_prometheus,
)
from perf_pipeline.servers.monitors.monitor import find_program
from tests.integration.levels.loads import QUICK
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

SCENARIO = replace(
    QUICK,
    name="boards",
    phases=Phases(
        ramp_up_s=0.1, warm_up_s=0.3, steady_s=4.0, steady_max_s=4.0, drain_s=5.0, deadline_s=20.0
    ),
    faults=(FaultWindow("server_freeze", "redis", 1.0, 1.0),),
    slos=(parse_slo("error_ratio < 0.5"),),
)
HAS = {
    "",
    "a server",
    "a level that is played at the moment",
    "a fault in the scenario",
    "a measured level",
    "a measured level with a fault",
    "a measured level with objectives",
    "a complete run",
    "a measured level with 20 workflows or more",
}
"""What a panel may need that this run has. The others are about loads in open loop, errors,
retries, hours, the stack's exporters, and what this machine's kernel and servers may not count."""

TARGET_LINE = ") * 0 + "
"""The targets are about 100 workflows in flight and more."""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[AskedPrometheus]:
    if find_program(current_settings(), "prometheus") is None:
        pytest.skip(NO_PROMETHEUS)
    scrape_dir = tmp_path / "scrape"
    with asked_prometheus(current_settings(), scrape_dir, factor=EVERY_SECOND / 2) as started:
        yield started


@pytest.mark.slow  # the selftest `monitoring` asks every query in `make test-docker`
def test_every_query_is_answered_and_has_data_where_the_run_has_any(
    settings: Settings, prometheus: AskedPrometheus
) -> None:
    """A closed-loop run over all servers whose Redis is frozen for a second."""
    began_s = time.time()
    settings = replace(
        settings,
        cache_dir=current_settings().cache_dir,
        monitoring=MonitoringSettings(prometheus.scrape_dir),
    )
    finished = run_scenario(SCENARIO, settings)
    run_id = finished.folder.name
    last = f'last_over_time(loadtest_level_validity{{run_id="{run_id}"}}[5m])'
    assert until(lambda: bool(prometheus.query(last)), 30)
    refused, empty, answered = [], [], []
    for one in panel_queries():
        try:
            series = prometheus.drawn(one.asked_of(run_id, "4s"), began_s, time.time())
        except PerfPipelineError as error:
            refused.append((one, str(error)))
            continue
        (answered if series else empty).append(one)
    assert refused == []
    assert [one for one in empty if one.needs in HAS and TARGET_LINE not in one.expr] == []
    assert len(answered) > 60
