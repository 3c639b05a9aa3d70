"""A failure is a test case: recovered passes, metastable fails, invalid is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.ci.cases import run_cases
from perf_pipeline.metrics.metrics_file import read_metrics
from tests.planted_recovery import fault, invalid, metastable, not_possible, recovery
from tests.simulated_run import write_run
from tests.unit.report.recovery.test_tables import with_faults

if TYPE_CHECKING:
    from pathlib import Path


def test_each_failure_is_a_case_and_doubt_never_passes(tmp_path: Path) -> None:
    metrics = read_metrics(write_run(tmp_path, "20260114_093012-4f2c"))
    run = with_faults(metrics, recovery(fault(), metastable(), invalid(), not_possible()))
    cases = [case for case in run_cases(run, None, "minimum") if "recovers from" in case.name]
    assert [case.outcome for case in cases] == ["passed", "failed", "skipped", "skipped"]
    assert cases[0].name == "10: recovers from database_timeout on PostgreSQL, 3.00 s at 8.80 s"
    assert "recovered in 1.20 s" in cases[0].detail
    assert "postgres is not ours" in cases[2].text
