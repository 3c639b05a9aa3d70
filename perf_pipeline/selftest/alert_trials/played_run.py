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
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.run import run_scenario
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.selftest.alert_trials.stage import Looks


class PlayedRun:
    """A run that goes on.

    Attributes:
        process: Plays it.
    """

    def __init__(self, process: subprocess.Popen[bytes], results: Path) -> None:
        """Know the process and the folder of the results, which is the run's alone."""
        self.process = process
        self._results = results

    @property
    def has_begun(self) -> bool:
        """Whether its folder is there."""
        return bool(self._begun())

    def folder(self) -> RunFolder:
        """Return its folder.

        Raises:
            PerfPipelineError: It has none: it ended before it began.
        """
        if not (found := self._begun()):
            raise PerfPipelineError(f"the run did not begin; see {self._results.parent}/output")
        return RunFolder(found[0].parent)

    def phase(self) -> str:
        """Return the phase of its progress; empty before its load is on."""
        path = self.folder().root / "progress.jsonl" if self.has_begun else None
        if path is None or not path.exists():
            return ""
        lines = path.read_text(encoding="utf-8").splitlines()
        return str(json.loads(lines[-1])["phase"]) if lines else ""

    def until_steady(self) -> Looks:
        """Return at each look until its steady phase has begun."""
        while self.phase() != "steady":
            yield

    def _begun(self) -> list[Path]:
        return sorted(self._results.glob("*/run.json"))


@contextmanager
def played_run(scenario: str, folder: Path, scrape_dir: Path) -> Iterator[PlayedRun]:
    """Start a run; it is killed with the block.

    Args:
        scenario: Text of the scenario.
        folder: Made, for its file and its results.
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
    command = [sys.executable, "-I", "-m", __name__, str(path)]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        yield PlayedRun(process, folder / "results")
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    run_scenario(open_scenario(sys.argv[1]))
