"""A real run in a process of its own that serves its live metrics.

::

    python -m perf_pipeline.selftest.alert_trials.played_run SCENARIO
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.config.stack_settings import StackSettings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.scenario_run import run_scenario
from perf_pipeline.servers.lifecycle.status import server_status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.selftest.alert_trials.stage import Looks

_OUTPUT, _STATE = "output", "state"
_TAIL = 2000
"""Characters of the output of a run that ended too soon."""


class PlayedRun:
    """A run that goes on.

    Attributes:
        process: Plays it.
        state_dir: Has its fault journal.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        """Know the process and the folder that is the run's alone."""
        self.process = process
        self.state_dir = folder / _STATE
        self._folder = folder

    def folder(self) -> RunFolder | None:
        """Return the folder of its results; None before it has begun."""
        found = sorted(self._folder.glob("results/*/run.json"))
        return RunFolder(found[0].parent) if found else None

    def phase(self) -> str:
        """Return the phase of its progress; empty before its load is on."""
        folder = self.folder()
        path = folder.root / "progress.jsonl" if folder else None
        if path is None or not path.exists():
            return ""
        lines = path.read_text(encoding="utf-8").splitlines()
        return str(json.loads(lines[-1])["phase"]) if lines else ""

    def until(self, is_so: Callable[[], bool]) -> Looks:
        """Return at each look until something is so.

        Raises:
            PerfPipelineError: The run ended before.
        """
        while not is_so():
            if self.process.poll() is not None:
                said = (self._folder / _OUTPUT).read_text(encoding="utf-8", errors="replace")
                raise PerfPipelineError(f"{self._folder.name}: it ended too soon: {said[-_TAIL:]}")
            yield


@contextmanager
def played_run(scenario: str, folder: Path, scrape_dir: Path) -> Iterator[PlayedRun]:
    """Start a run on servers of its own; it is killed with the block.

    Args:
        scenario: Text of the scenario.
        folder: Made, for its file and its results.
        scrape_dir: Folder in which it registers.
    """
    with played_process(__name__, scenario, folder, scrape_dir) as process:
        yield PlayedRun(process, folder)


@contextmanager
def played_process(
    module: str, scenario: str, folder: Path, scrape_dir: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a module on a scenario; its process is killed with the block.

    Args:
        module: What plays it, as ``python -m MODULE FILE``.
        scenario: Text of the scenario.
        folder: Made, for its file, its results and its output.
        scrape_dir: Folder in which it registers.
    """
    folder.mkdir()
    path = folder / f"{folder.name}.toml"
    path.write_text(scenario, encoding="utf-8")
    environ = {
        **os.environ,
        "PERF_PIPELINE_RESULTS": str(folder / "results"),
        "PERF_PIPELINE_SCRAPE_DIR": str(scrape_dir),
        "PERF_PIPELINE_LOAD_LOCK": str(folder / "load.lock"),
        "PERF_PIPELINE_NOISE": "tell",
        "PERF_PIPELINE_DAGSTER": "off",
    }
    command = [sys.executable, "-I", "-m", module, str(path)]
    with (folder / _OUTPUT).open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def why_no_server(service: str, settings: Settings) -> str:
    """Return why a run cannot have a server of its own; empty if it can."""
    (found,) = server_status(with_own_servers(settings, settings.state_dir / _STATE), [service])
    return found.detail if found.state == "unavailable" else ""


def with_own_servers(settings: Settings, state_dir: Path) -> Settings:
    """Return settings that know no server of the user's, none left running, and no stack."""
    return replace(settings, urls={}, state_dir=state_dir, stack=StackSettings())


if __name__ == "__main__":
    (scenario,) = sys.argv[1:]
    own = with_own_servers(current_settings(), Path(scenario).parent / _STATE)
    run_scenario(open_scenario(scenario), own)
