"""The Dagster run of a finished run: its verdict, tags, metadata, and what it prints at the end.

The job ``recorded`` does everything that a load job does after its load.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from assets.definitions import defs
from assets.tags import GATE_TAG, VERDICT_TAG
from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.slo.slo import parse_slo
from tests.assets.conftest import Remembered
from tests.planted_recovery import log_fault
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder

OF_FAULTS = {"fault_timeline", "fault_evidence", "recovery_table"}
RECORDED = {
    *("load_run", "run_metrics", "kpi_verdicts", "metric_history", "run_report"),
    *OF_FAULTS,
}


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance that remembers nothing but this test, and a state folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as made:
        yield made


def record(
    instance: dg.DagsterInstance, folder: Path, tags: dict[str, str] | None = None
) -> Remembered:
    """Execute the job ``recorded`` on a run's folder; returns what is remembered of it."""
    config = {"resources": {"load_run_resource": {"config": {"recorded": str(folder)}}}}
    job = defs.resolve_job_def("recorded")
    job.execute_in_process(
        run_config=config, instance=instance, tags=tags or {}, raise_on_error=False
    )
    return Remembered(instance, instance.get_runs(limit=1)[0])


def failures(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[Any]:
    """Return the errors of the failed steps and of the run, as the UI gets them."""
    found: list[Any] = []
    for entry in instance.all_logs(run.run_id):
        event = entry.dagster_event
        if event is not None and event.is_step_failure:
            found.append(event.step_failure_data.error)
        if event is not None and event.event_type_value == "PIPELINE_FAILURE":
            found.append(event.job_failure_data.error)
    return found


def test_a_run_that_holds_is_a_success_with_tags_and_prints_table_and_path_last(
    instance: dg.DagsterInstance, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "results", "r-1", slos=(parse_slo("p50_s < 1"),))
    run = record(instance, folder.root)
    assert run.run.status == dg.DagsterRunStatus.SUCCESS
    assert set(run.materialized) == RECORDED
    shown = {key: value for key, value in run.run.tags.items() if "dagster/" not in key}
    assert shown == {"scenario": "simulated", "target": "control", "verdict": "met"}
    assert run.checks["verdict"] is True
    printed = capsys.readouterr().out
    assert "throughput" in printed
    assert printed.splitlines()[-1] == f"report: {folder.root / 'report.html'}"


def test_a_missed_objective_fails_the_run_after_everything_was_reported_with_the_reason_first(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """No stack trace is around it, neither of the step nor of the run."""
    folder = write_run(tmp_path / "results", "r-1", slos=(parse_slo("p50_s < 0.01"),))
    run = record(instance, folder.root)
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    assert set(run.materialized) == RECORDED
    assert (folder.root / "report.html").exists()
    assert run.checks["verdict"] is run.checks["objectives"] is False
    assert run.run.tags[VERDICT_TAG] == "missed"
    errors = failures(instance, run.run)
    assert len(errors) == 2
    for error in errors:
        assert error.message.startswith("objective missed: p50_s <= 0.01 at 10: ")
        assert (list(error.stack), error.cause, error.context) == ([], None, None)


def test_a_gate_that_is_not_met_fails_the_run(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    """No target of the tables applies to the control target."""
    folder = write_run(tmp_path / "results", "r-1")
    run = record(instance, folder.root, {GATE_TAG: "production"})
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    assert run.run.tags[VERDICT_TAG] == "no_data"
    assert failures(instance, run.run)[0].message.startswith("gate production: none of its targets")


def test_a_folder_that_holds_no_run_is_refused_in_a_sentence(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run = record(instance, tmp_path / "nothing")
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    (error, *_) = failures(instance, run.run)
    assert "run.json is missing" in error.message
    assert list(error.stack) == []


def test_recording_measures_and_reports_nothing_anew(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "results", "r-1")
    record(instance, folder.root)
    before = {path: path.stat().st_mtime_ns for path in folder.root.iterdir() if path.is_file()}
    record(instance, folder.root)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_numbers_that_the_ui_plots_have_three_digits_a_unit_and_one_series_a_level(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "results", "r-1")
    run = record(instance, folder.root)
    numbers = {
        label: value
        for label, value in run.materialized["run_metrics"].items()
        if isinstance(value, float)
    }
    assert {label.partition(":")[0] for label in numbers} <= {
        *("throughput_per_s", "p99_service_time_s", "cpu_per_workflow_ms", "error_ratio"),
    }
    assert all(float(f"{value:.3g}") == value for value in numbers.values())
    assert all("simulated 10 control" in label for label in numbers)


def test_checks_have_numbers_to_plot(instance: dg.DagsterInstance, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "results", "r-1", slos=(parse_slo("p50_s < 1"),))
    record(instance, folder.root)
    run = instance.get_runs(limit=1)[0]
    numbers = {}
    for entry in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        assert entry.dagster_event is not None
        found = entry.dagster_event.asset_check_evaluation_data
        numbers[found.check_name] = [
            value.value for value in found.metadata.values() if isinstance(value.value, float | int)
        ]
    assert numbers["objectives"] == [pytest.approx(0.1, rel=0.05)]
    assert numbers["no_errors"] == [0]
    assert numbers["validity"] == [100]


def faulted_run(results: Path, until_s: float, *, acts: bool) -> RunFolder:
    """Write a run whose Redis was frozen from 8 to 9 s, which its workflows did not feel."""
    folder = write_run(results, "r-1", until_s=until_s, measured=False)
    log_fault(folder.root / "levels" / "00-10", 8.0, 1.0, acts=acts)
    measure(folder)
    return folder


def test_a_failure_from_which_the_target_recovered_is_in_three_tables_and_passes_two_checks(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run = record(instance, faulted_run(tmp_path / "results", 30.0, acts=True).root)
    assert run.run.status == dg.DagsterRunStatus.SUCCESS
    assert run.checks["faults_in_effect"] is run.checks["faults_recovered"] is True
    assert [run.materialized[name]["failures"] for name in sorted(OF_FAULTS)] == [1, 1, 1]
    (moments,) = run.materialized["fault_timeline"]["timeline"].records
    assert moments.data["failure"] == "server_freeze on redis"
    assert (moments.data["injecting (s)"], moments.data["gone (s)"]) == (8.0, 9.0)
    (evidence,) = run.materialized["fault_evidence"]["evidence"].records
    assert evidence.data["in effect (% of the window)"] == 100.0
    assert evidence.data["last observation"] == "7 processes are stopped"
    (recovered,) = run.materialized["recovery_table"]["recovery"].records
    assert recovered.data["verdict"] == "recovered"


def test_a_failure_that_did_nothing_fails_the_run_and_is_never_called_survived(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    run = record(instance, faulted_run(tmp_path / "results", 30.0, acts=False).root)
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    assert run.run.tags[VERDICT_TAG] == "fault_invalid"
    assert run.checks["faults_in_effect"] is run.checks["faults_recovered"] is False
    (recovered,) = run.materialized["recovery_table"]["recovery"].records
    assert recovered.data["verdict"] == "invalid"
    assert "0 % of its window" in recovered.data["why"]
