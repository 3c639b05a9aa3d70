"""The asset comparison: with two sides it stores their comparison, else it is skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.definitions import defs
from assets.regression.verdict import compared_result
from perf_pipeline.metrics.comparison_file import read_comparisons
from tests.assets.test_headline import images
from tests.planted_comparison import change, comparison
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.comparison import ComparisonVerdict

pytestmark = pytest.mark.integration


def compared(results: Path, **config: object) -> dg.ExecuteInProcessResult:
    run_config = {"ops": {"comparison": {"config": {"results_dir": str(results), **config}}}}
    return defs.get_job_def("compare").execute_in_process(
        run_config=run_config, raise_on_error=False
    )


def test_a_comparison_is_stored_and_shown_with_its_verdict(tmp_path: Path) -> None:
    write_run(tmp_path, "r-1", service_s=0.1)
    write_run(tmp_path, "r-2", service_s=0.2)
    done = compared(tmp_path, baseline="r-1")

    assert not done.success  # as its verdict says, after all was stored
    (check,) = done.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "regression" in (check.description or "")
    assert (tmp_path / "alerts.jsonl").read_text(encoding="utf-8").count("\n") == 1
    ((made,),) = [done.asset_materializations_for_node("comparison")]
    assert made.metadata["verdict"].value == "regression"
    assert len(images(made.metadata["distributions"].value)) == 1
    assert "got worse" in str(made.metadata["summary"].value)
    (found,) = read_comparisons(tmp_path, 2).found
    assert found.candidate.runs == ("r-2",)


@pytest.mark.parametrize(
    ("verdict", "passes", "severity"),
    [
        ("regression", False, dg.AssetCheckSeverity.ERROR),
        ("unstable", False, dg.AssetCheckSeverity.WARN),
        ("no_data", False, dg.AssetCheckSeverity.WARN),
        ("no_change", True, dg.AssetCheckSeverity.WARN),
    ],
)
def test_doubt_is_a_warning_and_never_passes(
    verdict: ComparisonVerdict, *, passes: bool, severity: dg.AssetCheckSeverity
) -> None:
    result = compared_result(
        comparison(1, 2, change(verdict), verdict=verdict), dg.AssetKey("comparison")
    )
    assert (result.passed, result.severity) == (passes, severity)


def test_without_a_baseline_nothing_is_compared(tmp_path: Path) -> None:
    done = compared(tmp_path)
    assert done.success
    assert done.asset_materializations_for_node("comparison") == []


def test_runs_that_do_not_match_fail_in_sentences(tmp_path: Path) -> None:
    write_run(tmp_path, "r-1")
    write_run(tmp_path, "r-2", seed=2)
    done = compared(tmp_path, baseline="r-1", candidate="r-2")
    (failed,) = [event for event in done.all_events if event.is_step_failure]
    assert "different seed: 1 in the baseline, 2 in the candidate" in str(
        failed.step_failure_data.error
    )
