"""Load runs as Dagster runs, started from its command line."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.failure import CANCELED
from assets.tags import FOLDER_TAG
from perf_pipeline.config.settings import read_settings
from perf_pipeline.host.load_lock import load_lock
from tests.assets.conftest import Remembered, config_file, instance_of, latest
from tests.assets.test_definitions import CHECKS, GROUPS
from tests.sandbox import BIN, WAIT_S, Sandbox, last_object, until

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.integration

OF_OTHER_JOBS = {
    "found_capacity",
    "ab_comparison",
    "comparison",
    "release_measurement",
    "release_history",
}
EVERYTHING = {name for name, group in GROUPS.items() if group != "endurance"} - OF_OTHER_JOBS


def results_of_executed(sandbox: Sandbox) -> Path:
    """Return the folder of this run alone: others of the sandbox may have come before."""
    return sandbox.folder / "executed"


@pytest.fixture(scope="module")
def executed(sandbox: Sandbox) -> Remembered:
    """The job ``scenario``, executed with servers: 2 in flight for a second."""
    file = sandbox.scenario("tiny", kind="analytics/medium", concurrency=8)
    config = config_file(
        sandbox, file, concurrency=[2], seed=7, results_dir=str(results_of_executed(sandbox))
    )
    ran = sandbox.dagster("job", "execute", "-j", "scenario", "-c", config)
    assert ran.returncode == 0, ran.stdout
    assert list(sandbox.temp.iterdir()) == []
    return latest(sandbox.dagster_home)


def test_a_job_materializes_every_asset(executed: Remembered) -> None:
    assert executed.run.status.value == "SUCCESS"
    assert set(executed.materialized) == EVERYTHING


def test_checks_are_recorded_as_passed_and_those_with_nothing_to_test_not_at_all(
    executed: Remembered,
) -> None:
    """No objectives, repeats, failures or exhausted pools, no target without a runtime."""
    tests_nothing = {
        "production_targets",
        "repeats_agree",
        "objectives",
        "pools_recovered",
        "faults_in_effect",
        "faults_recovered",
    }
    expected = {*CHECKS, "verdict", "no_open_regression"} - tests_nothing
    assert executed.checks == dict.fromkeys(expected, True)


def test_numbers_are_metadata_under_stable_labels(executed: Remembered) -> None:
    """So that Dagster plots them over runs."""
    metadata = executed.materialized["run_metrics"]
    assert metadata["validity"] == "valid"
    assert metadata["throughput_per_s: tiny 2 control"] > 0
    assert metadata["error_ratio: tiny 2 control"] == 0


def test_every_asset_shows_what_it_did(executed: Remembered, sandbox: Sandbox) -> None:
    shown = executed.materialized
    assert shown["host_facts"]["cores_usable"] == len(os.sched_getaffinity(0))
    assert shown["servers"]["postgres"].startswith("PostgreSQL ")
    assert shown["seeded_data"]["rows_postgres"] > 0
    folder = Path(shown["load_run"]["folder"])
    assert folder.parent == results_of_executed(sandbox)
    assert shown["kpi_verdicts"]["targets missed"] == "none"
    assert int(shown["load_run"]["records"].replace(",", "")) > 20
    assert Path(shown["run_report"]["html"]) == folder / "report.html"
    assert shown["run_report"]["open"] == f"http://127.0.0.1:3001/{folder.name}/report.html"
    assert shown["metric_history"]["runs"] == "1"


def test_a_run_has_the_tags_scenario_target_and_verdict_and_shows_no_other_of_ours(
    executed: Remembered,
) -> None:
    shown = {key: value for key, value in executed.run.tags.items() if "dagster/" not in key}
    assert shown == {"scenario": "tiny", "target": "control", "verdict": "valid"}
    assert executed.run.tags[FOLDER_TAG] == executed.materialized["load_run"]["folder"]


def test_metrics_and_report_alone_are_those_of_the_last_run(
    executed: Remembered, sandbox: Sandbox
) -> None:
    """Nothing is started; what was deleted is made anew from the records."""
    folder = Path(executed.materialized["load_run"]["folder"])
    (folder / "report.html").unlink()
    (folder / "metrics.json").unlink()
    ran = sandbox.dagster("asset", "materialize", "--select", "run_metrics+")
    assert ran.returncode == 0, ran.stdout
    again = latest(sandbox.dagster_home)
    derived = EVERYTHING - {"host_facts", "servers", "seeded_data", "load_run"}
    assert set(again.materialized) == derived
    assert again.materialized["run_metrics"] == executed.materialized["run_metrics"]
    assert (folder / "report.html").exists()
    assert list(results_of_executed(sandbox).glob("*/run.json")) == [folder / "run.json"]


def test_everything_can_be_selected_at_once_and_ends_with_table_and_path_without_a_warning(
    executed: Remembered, sandbox: Sandbox
) -> None:
    assert executed.run.is_finished
    config = config_file(sandbox, sandbox.scenario("selected"), run_id="20260114_093012-4f2c")
    command = ("asset", "materialize", "--select", "*", "-m", "assets.definitions", "-c", config)
    ran = sandbox.run(str(BIN / "dagster"), *command)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[-1] == f"report: {sandbox.results / '20260114_093012-4f2c' / 'report.html'}"
    assert any("throughput" in line for line in lines)
    assert "BetaWarning" not in ran.stderr
    assert " WARNING " not in ran.stderr
    run = latest(sandbox.dagster_home)
    assert set(run.materialized) == EVERYTHING
    assert run.materialized["load_run"]["run_id"] == "20260114_093012-4f2c"
    assert run.materialized["servers"] == {}


def test_a_wrong_launchpad_form_is_reported_in_full_and_starts_nothing(sandbox: Sandbox) -> None:
    before = sandbox.run_folders()
    config = config_file(sandbox, "baseline", concurrency=[0, -5], duration=-1.0)
    ran = sandbox.dagster("job", "execute", "-j", "scenario", "-c", config)
    assert ran.returncode != 0
    for problem in (
        "--concurrency is 0;",
        "--concurrency is -5;",
    ):
        assert problem in ran.stdout
        assert problem in "\n".join(ran.stdout.splitlines()[-6:])  # where people look
    assert ran.stdout.count("--concurrency is -5;") <= 4  # it was printed eight times
    assert sandbox.run_folders() == before
    run = latest(sandbox.dagster_home)
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    assert run.run.tags["verdict"] == "not_measured"


def test_a_second_load_run_waits_and_says_for_whom(sandbox: Sandbox) -> None:
    """The lock of the host is taken here; the second run goes on when it is free."""
    config = config_file(sandbox, sandbox.scenario("waiting"))
    log = sandbox.folder / "waiting.out"
    lock = read_settings(sandbox.environ).lock_path
    with load_lock(lock, "a test that holds it", lambda _text: None, time.sleep):
        waiting = sandbox.start(
            *("dagster", "asset", "materialize", "--select", "servers"),
            *("-m", "assets.definitions", "-c", config),
            log=log,
        )
        assert until(lambda: "a test that holds it" in _said(log), 60), _said(log)
        assert waiting.poll() is None
    assert waiting.wait(timeout=WAIT_S) == 0
    assert "the other load run has ended; going on" in _said(log)


def test_a_run_that_is_not_to_wait_names_the_other_one_and_exits_75(sandbox: Sandbox) -> None:
    lock = read_settings(sandbox.environ).lock_path
    before = sandbox.run_folders()
    with load_lock(lock, "a test that holds it", lambda _text: None, time.sleep):
        ran = sandbox.cli(
            *("run", sandbox.scenario("hasty"), "--wait", "0", "--json"),
            *("--junit", str(sandbox.folder / "junit.xml")),
        )
    assert ran.returncode == 75, ran.stderr
    (why,) = last_object(ran.stdout)["problems"]
    assert why.startswith("gave up waiting for another load run on this host, after 0: a test that")
    assert ran.stderr.splitlines()[1:] == [why]
    assert sandbox.run_folders() == before
    assert f'<error message="{why[:40]}' in (sandbox.folder / "junit.xml").read_text("utf-8")


def test_a_wait_for_another_load_run_is_ended_by_ctrl_c_in_one_line(sandbox: Sandbox) -> None:
    """Nothing of Dagster's log is shown, and its run is canceled, not failed."""
    file, log = sandbox.scenario("impatient"), sandbox.folder / "impatient.out"
    lock = read_settings(sandbox.environ).lock_path
    with load_lock(lock, "a test that holds it", lambda _text: None, time.sleep):
        waiting = sandbox.start("perf-pipeline", "run", file, log=log)
        assert until(lambda: b"a test that holds it" in log.read_bytes(), 60), _said(log)
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(timeout=WAIT_S) == 130
    assert log.read_text(encoding="utf-8").splitlines()[1:] == [
        "waiting for another load run on this host to end: a test that holds it",
        "interrupted: stopping load and servers, keeping what was measured",
        "interrupted before anything was measured",
    ]
    assert _said(log) == ""
    assert latest(sandbox.dagster_home).run.status == dg.DagsterRunStatus.CANCELED


def test_terminating_a_run_keeps_what_was_measured(sandbox: Sandbox) -> None:
    """SIGTERM, as orchestrators send it: over within 10 s, whatever Dagster calls it."""
    file = sandbox.long_scenario("terminated", servers=["postgres", "redis"])
    before = len(sandbox.run_folders())
    job = _start_job(sandbox, file)
    folder = sandbox.wait_until_steady(job, before)
    job.send_signal(signal.SIGTERM)
    assert until(lambda: not sandbox.processes(), 10), sandbox.processes()
    assert job.wait() != 0
    assert sandbox.own_record(folder)["status"] == "interrupted"
    assert sandbox.own_record(folder)["why"].startswith("it was asked to end (Ctrl-C, SIGTERM")
    run = latest(sandbox.dagster_home)
    assert run.run.status == dg.DagsterRunStatus.CANCELED
    assert _errors(sandbox) == [(CANCELED, [])] * 2, "of the step and of the run, without stacks"
    assert run.described.startswith(f"Run {folder.name} is interrupted. Kept: ")
    assert run.observed[-1][1]["records"] > 0
    assert f"perf-pipeline report '{folder}'" in run.observed[-1][1]["read it with"]
    records = last_object(sandbox.cli("records", folder.name, "--json").stdout)
    assert (records["status"], records["levels"][0]["validity"]) == ("interrupted", "incomplete")
    assert records["outcomes"]["ok"] > 0
    assert list(sandbox.temp.iterdir()) == []


def _start_job(sandbox: Sandbox, file: str) -> subprocess.Popen[bytes]:
    arguments = ("job", "execute", "-j", "scenario", "-m", "assets.definitions")
    config = config_file(sandbox, file)
    return sandbox.start("dagster", *arguments, "-c", config, log=sandbox.folder / "job.out")


def _errors(sandbox: Sandbox) -> list[tuple[str, list[str]]]:
    """Return message and stack of each error that the page of the newest run shows."""
    with instance_of(sandbox.dagster_home) as instance:
        (run,) = instance.get_runs(limit=1)
        events = [one.dagster_event for one in instance.all_logs(run.run_id)]
    data = [one.event_specific_data for one in events if one is not None]
    found = [getattr(one, "error", None) for one in data]
    return [(one.message, list(one.stack)) for one in found if one is not None]


def _said(log: Path) -> str:
    return log.with_suffix(".err").read_text(encoding="utf-8")
