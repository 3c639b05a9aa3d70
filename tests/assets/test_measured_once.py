"""The assets after a load measure each of its levels once, and show what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from assets.checks import run_checks
from assets.history import metric_history
from assets.metrics import kpi_verdicts, run_metrics
from assets.reporting import run_report
from assets.shown.end_summary import end_summary
from assets.verdict import run_verdict
from perf_pipeline.analysis import measure as measuring
from perf_pipeline.analysis.level import measure_level
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from perf_pipeline.metrics.level_context import LevelContext
    from perf_pipeline.metrics.records.stored_level import StoredLevel
    from perf_pipeline.metrics.types.level import LevelMetrics


PARTS = [run_metrics, run_checks, kpi_verdicts, metric_history, run_report, run_verdict]


def test_metrics_checks_verdicts_history_and_report_measure_a_level_once_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of the lineage graph below a load, which is a folder that was written beforehand."""
    measured: list[str] = []

    def counted(
        folder: Path, context: LevelContext, stored: StoredLevel | None = None
    ) -> LevelMetrics:
        measured.append(folder.name)
        return measure_level(folder, context, stored)

    monkeypatch.setattr(measuring, "measure_level", counted)
    folder = write_run(tmp_path / "results", "20260114_093012-4f2c", measured=False)

    @dg.asset
    def load_run() -> str:
        return str(folder.root)

    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        done = dg.materialize(
            [*PARTS, load_run],
            instance=instance,
            resources={"end_summary": end_summary},
        )
    assert done.success
    assert measured == ["00-10"]
    assert (folder.root / "report.html").exists()
    checked = {one.check_name for one in done.get_asset_check_evaluations()}
    assert checked == {"validity", "no_errors", "verdict"}  # nothing else applies to it
