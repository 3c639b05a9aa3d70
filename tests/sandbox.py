"""A private folder for everything that the commands and Dagster runs of a test write or start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
WAIT_S = 240.0
"""Limit of every wait; another load run on this host may hold the load lock for part of it."""

SLOTS_SCENARIO = f"""
target = "callable"
interpreter = "{sys.executable}"
processes = 1
concurrency = [4]
[[workload]]
function = "perf_pipeline.selftest.known.slots:hold"
[phases]
ramp_up_s = 0
warm_up_s = 0.2
steady_s = 0.6
drain_s = 0.5
"""
"""A level of a second without servers: 4 slots of 20 ms."""

_PHASES = "[phases]\nramp_up_s = 0.2\nwarm_up_s = 0.2\nsteady_s = {steady_s}\n"
_SCENARIO = """
title = "of a test"
target = "control"
nodes = "lean"
concurrency = [{concurrency}]
[[workload]]
family = "{family}"
complexity = "{complexity}"
"""
_PAUSE = "import time\n\ndef pause(number):\n    time.sleep(0.02)\n"
_LONG_SCENARIO = """
title = "of a test"
target = "callable"
python_path = "."
processes = 2
{servers}
concurrency = [4]
[[workload]]
function = "pause:pause"
"""


class Sandbox:
    """Settings, Dagster instance, results and temporary files below one folder.

    Attributes:
        folder: Its name is in the environment or arguments of every process of the sandbox.
        results: Folder of the runs; its name has a space.
        temp: TMPDIR, where servers and commands would leave something behind.
        environ: The environment of every command.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "res ults"
        self.temp = folder / "tmp"
        self.temp.mkdir(parents=True)
        self.dagster_home = folder / "dagster"
        self.dagster_home.mkdir()
        write_dagster_yaml(self.dagster_home, history=self.dagster_home)
        passed_on = {k: v for k, v in os.environ.items() if not k.startswith(("PERF_", "DAGSTER"))}
        self.environ = {
            **passed_on,
            "XDG_STATE_HOME": str(folder / "state"),
            "TMPDIR": str(self.temp),
            "DAGSTER_HOME": str(self.dagster_home),
            "PERF_PIPELINE_RESULTS": str(self.results),
            "PERF_PIPELINE_LOAD_LOCK": str(folder / "load.lock"),  # waits for no other test
            "PERF_PIPELINE_DAGSTER": "off",  # recording takes seconds; its own test has it on
            "PERF_PIPELINE_NOISE": "tell",  # the machine is shared with whatever runs beside
        }

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Give this process the environment and the folder of the sandbox, until the test ends."""
        for name in os.environ.keys() - self.environ.keys():
            monkeypatch.delenv(name)
        for name, value in self.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(self.folder)

    def scenario(
        self,
        name: str,
        *,
        kind: str = "transformation/simple",
        concurrency: int = 4,
        steady_s: float = 1,
    ) -> str:
        """Write a scenario file; returns its path."""
        family, complexity = kind.split("/")
        text = _SCENARIO.format(concurrency=concurrency, family=family, complexity=complexity)
        path = self.folder / f"{name}.toml"
        path.write_text(text + _PHASES.format(steady_s=steady_s), encoding="utf-8")
        return str(path)

    def long_scenario(self, name: str, *, servers: Sequence[str] = ()) -> str:
        """Write a scenario of two minutes for a test that ends it early; returns its path.

        Its workflows sleep for 20 ms, so that the tests beside it have the cores.
        """
        (self.folder / "pause.py").write_text(_PAUSE, encoding="utf-8")
        path = self.folder / f"{name}.toml"
        line = f"servers = {json.dumps(list(servers))}" if servers else ""
        path.write_text(
            _LONG_SCENARIO.format(servers=line) + _PHASES.format(steady_s=120), encoding="utf-8"
        )
        return str(path)

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``perf-pipeline`` to its end."""
        return self.run(str(BIN / "perf-pipeline"), *arguments)

    def dagster(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``dagster`` to its end, on our code location; standard error is in the output."""
        command = [str(BIN / "dagster"), *arguments, "-m", "assets.definitions"]
        return self.run(*command, merged=True)

    def run(
        self, *command: str, merged: bool = False, cwd: Path = ROOT
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in this environment to its end."""
        return subprocess.run(
            command,
            cwd=cwd,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            text=True,
            timeout=WAIT_S,
            check=False,
        )

    def start(self, *command: str, log: Path, cwd: Path = ROOT) -> subprocess.Popen[bytes]:
        """Start a command; its standard output goes to ``log``, errors to ``log`` + ``.err``."""
        with log.open("wb") as out, log.with_suffix(".err").open("wb") as err:
            return subprocess.Popen(
                [BIN / command[0], *command[1:]],
                cwd=cwd,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def processes(self) -> dict[int, str]:
        """Return the processes of the sandbox: pid to command line."""
        mark = str(self.folder)
        found = {}
        for process in psutil.process_iter():
            try:
                words = process.cmdline()
                if words and mark in " ".join([*words, *process.environ().values()]):
                    found[process.pid] = " ".join(words)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue  # it has ended, or is another user's
        return found

    def run_folders(self) -> list[Path]:
        """Return the runs, oldest first."""
        return sorted(path.parent for path in self.results.glob("*/run.json"))

    def wait_until_steady(self, process: subprocess.Popen[bytes], runs_before: int) -> Path:
        """Wait until the run that a process has started is steady; returns its folder."""

        def steady() -> bool:
            folders = self.run_folders()
            if len(folders) <= runs_before:
                return False
            progress = folders[-1] / "progress.jsonl"
            return progress.exists() and '"steady"' in progress.read_text(encoding="utf-8")

        ended = until(lambda: steady() or process.poll() is not None, WAIT_S)
        assert ended, f"still not steady after {WAIT_S:g} s"
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        return self.run_folders()[-1]

    def own_record(self, folder: Path) -> dict[str, Any]:
        """Return the contents of a run's run.json."""
        record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        return record

    def close(self) -> None:
        """Kill the processes that a failed test left behind."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def write_dagster_yaml(folder: Path, history: Path) -> None:
    """Write the project's dagster.yaml into a folder, with its history in another folder.

    The project's own paths are relative to the current folder.
    """
    text = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    text = text.replace(": .dagster", f": {history}/.dagster")
    (folder / "dagster.yaml").write_text(text, encoding="utf-8")


def until(condition: Callable[[], bool], within_s: float = 20.0, *, every_s: float = 0.02) -> bool:
    """Poll a condition; returns False when it did not become true in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(every_s)
    return True


def last_object(output: str) -> dict[str, Any]:
    """Return the object that a command's output ends with; it has a schema version."""
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    assert found["schema_version"] == 1
    return found
