"""Dagster's SQLite files in the process of a run: open once, and as complete as Dagster's own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ADDS_TWENTY_EVENTS = """
import json, os, sys
from pathlib import Path
import dagster as dg
from assets.storage.open_files import open_files_once

if sys.argv[2] == "once":
    open_files_once()

@dg.op
def twenty(context):
    for number in range(20):
        context.log.info(f"event {number}")

@dg.job(executor_def=dg.in_process_executor)
def adding():
    twenty()

home = Path(sys.argv[1])
with dg.DagsterInstance.local_temp(str(home)) as instance:
    assert adding.execute_in_process(instance=instance).success
    logs = sorted(path.name.rpartition(".")[2] for path in home.rglob("*.db-wal"))
with dg.DagsterInstance.local_temp(str(home)) as instance:
    (run,) = instance.get_runs()
    said = [one.message for one in instance.all_logs(run.run_id) if one.message.startswith("event")]
print(json.dumps({"said": said, "status": run.status.value, "logs": len(logs)}))
"""


@pytest.mark.parametrize(("how", "open_logs"), [("once", 3), ("anew", 0)])
def test_every_event_is_stored_and_no_event_takes_the_log_of_its_file_apart(
    tmp_path: Path, how: str, open_logs: int
) -> None:
    """A file's log (WAL) is there while it is open: the runs', the run's and the index of events.

    Dagster alone closes each file after every event, which removes the log.
    """
    ran = subprocess.run(
        [sys.executable, "-c", ADDS_TWENTY_EVENTS, tmp_path, how],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "said": [f"event {number}" for number in range(20)],
        "status": "SUCCESS",
        "logs": open_logs,
    }
