"""Metrics of a run that has ended, taken in by a real Prometheus and asked for there."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from perf_pipeline.cli.app import call
from perf_pipeline.config.settings import current_settings
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.monitoring.families import families
from perf_pipeline.monitoring.run_reader import RunReader
from perf_pipeline.selftest.monitoring.asked_prometheus import asked_prometheus
from perf_pipeline.servers.monitors.monitor import find_program
from tests.simulated_run import committed_run, write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from prometheus_client.core import Metric

pytestmark = pytest.mark.integration


def test_promtool_finds_nothing_wrong_with_what_is_served(tmp_path: Path) -> None:
    promtool = _tool("promtool")
    reader = RunReader(write_run(tmp_path, "r-1"))
    reader.read()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Served(reader))
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=generate_latest(registry),
        check=False,
        capture_output=True,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


class _Served:
    def __init__(self, reader: RunReader) -> None:
        self._reader = reader

    def collect(self) -> Iterator[Metric]:
        return families(self._reader.samples())


def _tool(name: str) -> str:
    found = find_program(current_settings(), name)
    if found is None:
        pytest.skip(f"no {name}: `make monitoring` unpacks Debian's packages")
    return str(found.program)


def test_a_real_prometheus_answers_for_an_old_run_what_its_report_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """5 in flight of 50 to 90 ms: 74.6 a second; half of them take 60 ms at most."""
    promtool, _ = _tool("promtool"), _tool("prometheus")
    folder, text = committed_run(tmp_path), tmp_path / "r-1.om"
    assert not call(
        ["export-metrics", str(folder.root), "--openmetrics", str(text), "--every=1", "--json"]
    )
    answered = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answered["moments"] == 11
    data = tmp_path / "data"
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)],
        check=True,
        capture_output=True,
    )
    (level,) = read_metrics(folder).levels
    last_s = float(text.read_text().splitlines()[-2].split()[-1])
    with asked_prometheus(current_settings(), tmp_path / "scrape", data_dir=data) as asked:

        def value(expression: str) -> float:
            (found,) = asked.query(expression, last_s).values()
            return found

        assert value('sum(loadtest_workflows_completed_total{run_id="r-1"})') == sum(
            level.outcomes.values()
        )
        assert value("loadtest_level_throughput_per_second") == level.throughput_per_s
        rate = value("sum(rate(loadtest_workflows_completed_total[8s] offset 1s))")
        assert rate == pytest.approx(74.6, rel=0.05)
        median = value(
            "histogram_quantile(0.5, sum by (le) (loadtest_service_time_seconds_bucket))"
        )
        assert 0.06 / 1.25 <= median <= 0.07 * 1.25
