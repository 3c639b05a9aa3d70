"""A run in another container: its process id means nothing here, the lock in its folder does."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.clearing import clear
from perf_pipeline.config.settings import current_settings
from perf_pipeline.dashboard.live_runs import LiveRuns
from perf_pipeline.monitoring.run_reader import RunReader
from perf_pipeline.samples.run_folder import RunFolder, read_json
from perf_pipeline.samples.run_record import KILLED, LOCK_FILE, NOT_SEEN, RUNNING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
RUN = """
import sys; from pathlib import Path
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import hold_run
RunFolder(Path(sys.argv[1])).begin("shop")
hold_run(Path(sys.argv[1]))
print("runs", flush=True)
sys.stdin.read()
"""
APART = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc")


@contextmanager
def run_elsewhere(run: RunFolder) -> Iterator[subprocess.Popen[str]]:
    """A run whose process is in a PID namespace of its own, as in a container."""
    other = subprocess.Popen(
        [*APART, sys.executable, "-c", RUN, run.root],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout is not None
        if other.stdout.readline() != "runs\n":
            pytest.skip("this machine allows no PID namespace")
        yield other
        other.kill()


def test_a_run_that_was_killed_in_another_container_is_gone_for_everybody(tmp_path: Path) -> None:
    """Status, dashboard, exporter and clearing ask the same, and none of them kept it running."""
    run = RunFolder(tmp_path / "results" / "20260114_093012-4f2c")
    live, reader = LiveRuns(time.time), RunReader(run)
    with run_elsewhere(run) as process:
        assert run.read_status()["status"] == RUNNING
        assert [one.concerns for one in live.look([run.root.parent])] == [()]
        assert process_up(reader) == [1]
        process.kill()

    wait_until_ended(run)
    assert run.read_status()["status"] == KILLED
    assert live.look([run.root.parent]) == ()
    assert process_up(reader) == [0]
    folders = {"results_dir": run.root.parent, "state_dir": tmp_path, "temp_dir": tmp_path}
    clear(replace(current_settings(), **folders, lock_path=tmp_path / "load.lock"))
    assert read_json(run.status_file)["status"] == KILLED


def test_without_its_lock_nobody_says_that_a_run_elsewhere_is_gone(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "20260114_093012-4f2c")
    with run_elsewhere(run) as process:
        (run.root / LOCK_FILE).unlink()
        assert run.read_status()["status"] == NOT_SEEN
        process.kill()

    assert run.read_status()["status"] == NOT_SEEN
    assert "may still run" in run.read_status()["why"]


def wait_until_ended(run: RunFolder) -> None:
    """Wait for the last process of the namespace, which the kernel ends with the first one."""
    until_s = time.monotonic() + 30.0
    while run.read_status()["status"] == RUNNING and time.monotonic() < until_s:
        time.sleep(0.01)


def process_up(reader: RunReader) -> list[float]:
    reader.read()
    return [one.value for one in reader.samples() if one.metric == "loadtest_run_process_up"]
