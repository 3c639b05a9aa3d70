"""Every query of every board is asked of a real Prometheus that has scraped a real run."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.monitoring_settings import MonitoringSettings
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.monitoring.boards.every_board import panel_queries
from perf_pipeline.run import run_scenario
from perf_pipeline.servers.lifecycle.unpacked import unpacked_root
from tests.integration.levels.loads import QUICK
from tests.integration.runs.traces import some_ports
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

CONFIG = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms}}
scrape_configs:
  - job_name: runs
    file_sd_configs: [{{files: ['{folder}/*.json'], refresh_interval: 500ms}}]
"""


class Prometheus(NamedTuple):
    """One that runs, and the folder in which it looks for runs."""

    address: str
    scrape_dir: Path

    def ask(self, path: str, **parameters: object) -> Any:
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(
            f"http://{self.address}/api/v1/{path}?{query}", timeout=30
        ) as answer:
            return json.load(answer)["data"]


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Prometheus]:
    users = current_settings()
    unpacked = unpacked_root(users.cache_dir, "monitoring") / "usr/bin"
    program = shutil.which("prometheus", path=f"{users.search_path}:{unpacked}")
    if program is None:
        pytest.skip("no Prometheus here: make monitoring")
    folder = tmp_path / "scrape"
    config = tmp_path / "prometheus.yml"
    config.write_text(CONFIG.format(folder=folder), encoding="utf-8")
    address = f"127.0.0.1:{some_ports()[0]}"
    options = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path}/tsdb"]
    with (tmp_path / "prometheus.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [program, *options, f"--web.listen-address={address}"], stdout=log, stderr=log
        )
    try:
        found = Prometheus(address, folder)
        assert until(lambda: _is_ready(found), 30), (tmp_path / "prometheus.log").read_text()
        yield found
    finally:
        process.terminate()
        process.wait(timeout=30)


def _is_ready(prometheus: Prometheus) -> bool:
    try:
        prometheus.ask("query", query="vector(1)")
    except OSError:
        return False
    return True


@pytest.mark.slow  # the selftest `monitoring` asks every query in `make test-docker`
def test_every_query_is_answered_and_has_data_where_the_run_has_any(
    settings: Settings, prometheus: Prometheus
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
    assert until(lambda: bool(prometheus.ask("query", query=last)["result"]), 30)
    refused, empty, answered = [], [], []
    for one in panel_queries():
        asked = {"start": began_s, "end": time.time(), "step": 0.5}
        try:
            found = prometheus.ask("query_range", query=one.asked_of(run_id, "4s"), **asked)
        except urllib.error.HTTPError as error:
            refused.append((one, error.read().decode()))
            continue
        (answered if found["result"] else empty).append(one)
    assert refused == []
    assert [one for one in empty if one.needs in HAS and TARGET_LINE not in one.expr] == []
    assert len(answered) > 60
