"""The child process as the command line watches it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from perf_pipeline.cli import dagster_child
from perf_pipeline.cli.dagster_child import DagsterChild, progress_line, signals_noted
from perf_pipeline.config.overrides import Overrides
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

SAYS_TWO_LINES = """
import sys, json
config = json.load(open(sys.argv[1]))["resources"]["load_run_resource"]["config"]
print("perf_pipeline: scenario", config["scenario"])
print("noise")
sys.stdout.write("perf_pipeline: sp"); sys.stdout.flush()
import time; time.sleep(0.5)
print("lit", config["concurrency"])
sys.exit(7)
"""
STOPS_ITSELF_ONLY_WHEN_KILLED = """
import signal, time
for one in (signal.SIGINT, signal.SIGTERM):
    signal.signal(one, signal.SIG_IGN)
print("perf_pipeline: ready", flush=True)
time.sleep(60)
"""


class Child(DagsterChild):
    """Runs a Python program in Dagster's place."""

    def __init__(self, program: str, folder: Path) -> None:
        self.told: list[str] = []
        self.noted: list[signal.Signals] = []
        self.stop_when_told = False
        overrides = Overrides(concurrency=(1, 2))
        super().__init__("baseline", overrides, RunFolder(folder / "run"), self._hear)
        self._program = program

    def _hear(self, text: str) -> None:
        self.told.append(text)
        if self.stop_when_told:
            self.noted.append(signal.SIGINT)

    def _command(self, config: int) -> list[str]:
        return [sys.executable, "-c", self._program, f"/proc/self/fd/{config}"]


def test_what_the_child_says_is_told_line_by_line(tmp_path: Path) -> None:
    """It reads its configuration; a line that comes in two pieces is told once."""
    child = Child(SAYS_TWO_LINES, tmp_path)
    child.run(child.noted)
    assert child.told == ["scenario baseline", "split [1, 2]"]
    assert child.log_tail().splitlines()[1] == "noise"
    assert child.end == "the Dagster run failed (exit code 7)"


def test_a_child_that_does_not_stop_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dagster_child, "STOP_GRACE_S", 0.3)
    child = Child(STOPS_ITSELF_ONLY_WHEN_KILLED, tmp_path)
    child.stop_when_told = True
    child.run(child.noted)
    assert child.end == "the Dagster run's process was ended by SIGKILL"
    assert child.told[0] == "ready"
    assert child.told[1].startswith("interrupted:")


def test_signals_are_noted_also_where_a_shell_had_them_ignored() -> None:
    """In a process of its own, which starts with SIGINT ignored, as behind ``&`` in a script."""
    program = """
import os, signal, sys, subprocess
from perf_pipeline.cli.dagster_child import signals_noted
with signals_noted() as noted:
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    child = subprocess.Popen(["sleep", "60"])
    child.send_signal(signal.SIGINT)
    print([one.name for one in noted], child.wait(), signal.getsignal(signal.SIGTERM))
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
"""
    ran = subprocess.run(
        ["/bin/sh", "-c", 'trap "" INT; exec "$0" -c "$1"', sys.executable, program],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    noted, handler_restored = ran.stdout.splitlines()
    assert noted.startswith("['SIGINT', 'SIGINT', 'SIGTERM'] -2 ")
    assert handler_restored == "True"


def test_a_signal_after_the_block_has_its_old_meaning() -> None:
    ours: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _frame: ours.append(number))
    try:
        with signals_noted() as noted:
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, previous)
    assert (noted, ours) == ([signal.SIGINT], [signal.SIGINT])


def test_progress_is_one_line_with_all_that_is_asked_for() -> None:
    progress: dict[str, Any] = {
        "label": "100",
        "phase": "steady",
        "elapsed_s": 12.34,
        "rate_per_s": 331.4,
        "totals": {"started": 1500, "ended": 1400, "failed": 3},
    }
    line = " ".join(progress_line(progress).split())
    assert line == "100 steady 12.3 s done 1400 in flight 100 331.4/s failed 3"
