"""Metrics of a run that has ended, taken in by a real Prometheus and asked for there."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli.app import call
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.selftest.loads.prometheus_process import PrometheusProcess, find_tool
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration


def test_a_real_prometheus_answers_for_an_old_run_what_its_report_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """10 in flight of 0.1 s each: 100 a second; the median is in the bucket of 0.1 s."""
    promtool, prometheus = find_tool("promtool"), find_tool("prometheus")
    if promtool is None or prometheus is None:
        pytest.skip("no promtool and prometheus: `make monitoring` unpacks Debian's packages")
    folder, text = write_run(tmp_path, "r-1"), tmp_path / "r-1.om"
    assert not call(
        ["export-metrics", str(folder.root), "--openmetrics", str(text), "--every=1", "--json"]
    )
    answered = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answered["moments"] == 11
    data = tmp_path / "prometheus" / "data"
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", str(text), str(data)],
        check=True,
        capture_output=True,
    )
    (level,) = read_metrics(folder).levels
    last_s = float(text.read_text().splitlines()[-2].split()[-1])
    with PrometheusProcess(prometheus, tmp_path / "prometheus") as asked:

        def value(expression: str) -> float:
            (found,) = asked.query(expression, last_s).values()
            return found

        assert value('sum(loadtest_workflows_completed_total{run_id="r-1"})') == sum(
            level.outcomes.values()
        )
        assert value("loadtest_level_throughput_per_second") == level.throughput_per_s
        rate = value("sum(rate(loadtest_workflows_completed_total[8s] offset 1s))")
        assert rate == pytest.approx(100, rel=0.02)
        median = value(
            "histogram_quantile(0.5, sum by (le) (loadtest_service_time_seconds_bucket))"
        )
        assert 0.1 / 1.25 <= median <= 0.1 * 1.25
