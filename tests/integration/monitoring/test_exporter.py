"""The exporter of real runs: what it serves during, at the end of and after the death of one."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from perf_pipeline.config.monitoring_settings import MonitoringSettings
from perf_pipeline.config.settings import current_settings
from perf_pipeline.scenario_run import run_scenario
from tests.integration.conftest import settings_in
from tests.integration.levels.loads import STEP
from tests.sandbox import Sandbox, until

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.loadgen.supervise.level_log import Progress

pytestmark = pytest.mark.integration

SCENARIO = replace(STEP, name="scraped", concurrency=(4,), arms=(), servers=("postgres",))
_EXPORTER = "perf_pipeline.monitoring.exporter"
Values = dict[tuple[str, ...], float]


def address_in(folder: Path) -> str:
    """Return where the one exporter listens that is registered in a folder."""
    (path,) = folder.glob("*.json")
    ((target,),) = [one["targets"] for one in json.loads(path.read_text())]
    return str(target)


def scraped(address: str) -> Values:
    """Return (name, label values in order of label name) to value of everything that is served."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        (one.name, *(value for _, value in sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_counts_grow_while_a_run_goes_on_and_end_equal_to_its_report(tmp_path: Path) -> None:
    scrape_dir = tmp_path / "targets"
    settings = replace(
        settings_in(tmp_path),
        cache_dir=current_settings().cache_dir,
        monitoring=MonitoringSettings(scrape_dir),
    )
    seen: list[Values] = []
    listening: list[str] = []

    def scrape(progress: Progress) -> None:
        if progress.phase in ("warm_up", "steady") and list(scrape_dir.glob("*.json")):
            seen.append(scraped(address_in(scrape_dir)))
            exporter = next(
                one
                for one in psutil.process_iter(["cmdline"])  # of a zombie that is None
                if {str(scrape_dir), _EXPORTER} <= set(one.info["cmdline"] or ())
            )
            listening.extend(
                one.laddr.ip for one in exporter.net_connections() if one.status == "LISTEN"
            )

    longer = replace(SCENARIO, phases=replace(SCENARIO.phases, steady_s=4.0))
    finished = run_scenario(longer, settings, on_progress=scrape)
    (level,) = finished.metrics.levels

    address = address_in(scrape_dir)
    while ("loadtest_level_throughput_per_second", "00-4") not in (last := scraped(address)):
        pass
    outcomes: dict[str, float] = {}
    for key, value in last.items():
        if key[0] == "loadtest_workflows_completed_total":
            outcomes[key[2]] = outcomes.get(key[2], 0) + value
    assert outcomes == {name: count for name, count in level.outcomes.items() if count}
    assert last["loadtest_level_throughput_per_second", "00-4"] == level.throughput_per_s
    assert last["loadtest_run_status", "complete"] == 1
    assert seen, "no progress was reported while the level went on"
    during = seen[-1]
    assert during["loadtest_run_process_up",] == 1
    assert during["loadtest_workflows_in_flight", "00-4"] <= 4
    count = ("loadtest_service_time_seconds_count", "00-4")
    assert 0 < during[count] < last[count]
    assert set(listening) == {"127.0.0.1"}
    assert until(lambda: _is_gone(scrape_dir, address), 30)


def _is_gone(scrape_dir: Path, address: str) -> bool:
    """Scrape as Prometheus would; an exporter ends once its last values were served."""
    if not list(scrape_dir.glob("*.json")):
        return True
    try:
        scraped(address)
    except OSError:
        return False
    return False


def test_the_exporter_survives_a_killed_run_and_says_that_it_is_dead(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path)
    scrape_dir = tmp_path / "targets"
    sandbox.environ["PERF_PIPELINE_SCRAPE_DIR"] = str(scrape_dir)
    command = ("perf-pipeline", "run", sandbox.long_scenario("doomed"))
    process = sandbox.start(*command, log=tmp_path / "run.log", cwd=tmp_path)
    try:
        folder = sandbox.wait_until_steady(process, 0)
        assert until(lambda: bool(list(scrape_dir.glob("*.json"))))
        address = address_in(scrape_dir)
        before = scraped(address)
        os.kill(sandbox.own_record(folder)["process"][0], signal.SIGKILL)
        assert until(lambda: scraped(address)["loadtest_run_process_up",] == 0)
        after = scraped(address)
        count = ("loadtest_workflows_completed_total", "00-4", "ok", "pause:pause")
        assert before["loadtest_run_process_up",] == 1
        assert after[count] >= before[count] > 0
        assert after["loadtest_run_status", "killed"] == 1
        assert until(lambda: _is_gone(scrape_dir, address), 30)
    finally:
        process.kill()
        process.wait()
        sandbox.close()
