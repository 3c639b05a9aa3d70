"""A target that never works: what the command, its files and Dagster say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from tests.assets.conftest import Remembered, instance_of, latest
from tests.sandbox import Sandbox, last_object

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.integration

UNREACHED = """
import socket

def order(number):
    socket.create_connection(("127.0.0.1", 1), timeout=1)
"""
SCENARIO = """
target = "callable"
python_path = "."
trial_call = false
concurrency = [2]
processes = 1
[[workload]]
function = "unreached:order"
[phases]
ramp_up_s = 0
warm_up_s = 0
steady_s = 1
drain_s = 1
"""


@pytest.fixture(scope="module")
def ended(sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    """A run of a second in which nobody answers, without objectives."""
    (sandbox.folder / "unreached.py").write_text(UNREACHED, encoding="utf-8")
    file = sandbox.folder / "unreached.toml"
    file.write_text(SCENARIO, encoding="utf-8")
    return sandbox.cli("run", str(file), "--json", "--accept-verdicts")


def test_the_command_exits_1_and_says_first_what_failed_and_of_what(
    ended: subprocess.CompletedProcess[str],
) -> None:
    answer = last_object(ended.stdout)
    assert ended.returncode == 1, ended.stderr
    assert answer["validity"] == answer["levels"][0]["validity"] == "target_failed"
    assert answer["reasons"][0].startswith("level 2: none of the ")
    assert "ConnectionRefusedError" in answer["reasons"][0]
    said = ended.stderr
    assert said.index("target_failed at 2: none of the") < said.index("throughput")
    assert "limited at" not in said
    assert "Traceback" not in said


def test_every_file_of_the_run_says_so_too(
    ended: subprocess.CompletedProcess[str], sandbox: Sandbox
) -> None:
    answer = last_object(ended.stdout)
    (entry,) = json.loads(Path(answer["levels"][0]["result_file"]).read_text())
    folder = sandbox.results / answer["run_id"]
    metrics, report = (
        json.loads((folder / name).read_text()) for name in ("metrics.json", "report.json")
    )
    assert entry["validity"] == metrics["validity"] == "target_failed"
    assert metrics["levels"][0]["bottleneck"] is None
    assert "target_failed" in json.dumps(report)
    markdown = (folder / "report.md").read_text()
    top = markdown.split("## Load levels")[0]
    assert "Is it a measurement? target_failed.** " in top
    assert "ConnectionRefusedError" in top


def test_the_dagster_run_fails_with_the_reason_after_all_was_stored(
    ended: subprocess.CompletedProcess[str], sandbox: Sandbox
) -> None:
    assert ended.returncode == 1
    run: Remembered = latest(sandbox.dagster_home)
    assert run.run.status == dg.DagsterRunStatus.FAILURE
    assert run.checks["validity"] is run.checks["verdict"] is False
    assert run.run.tags["verdict"] == "target_failed"
    assert "run_report" in run.materialized
    with instance_of(sandbox.dagster_home) as instance:
        (failed,) = (
            entry.dagster_event.step_failure_data
            for entry in instance.all_logs(run.run.run_id)
            if entry.dagster_event and entry.dagster_event.is_step_failure
        )
    text = failed.user_failure_data.description if failed.user_failure_data else ""
    assert (text or "").startswith("target_failed: level 2: none of the ")
    assert failed.error is not None
    assert failed.error.message.startswith("target_failed: level 2: none of the ")
    assert list(failed.error.stack) == []
