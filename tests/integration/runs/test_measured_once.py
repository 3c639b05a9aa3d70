"""Each load level is measured once a run, however many processes and assets show its numbers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_record import KILLED
from tests.counted_levels import CountedLevels
from tests.sandbox import Sandbox, last_object

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.integration

LEVELS = {"00-2": 1, "01-4": 1}
LATER = "metrics.json", "report.html", "records.parquet"
PYTHON_API = """
import sys
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.scenario_run import run_scenario
scenario = open_scenario(sys.argv[1], read_machine_limits())
print(run_scenario(scenario, current_settings()).run_id)
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    made = Sandbox(tmp_path_factory.mktemp("once"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def counted(sandbox: Sandbox) -> CountedLevels:
    return CountedLevels(sandbox)


@pytest.fixture(scope="module")
def scenario(sandbox: Sandbox) -> str:
    path = Path(sandbox.scenario("once", steady_s=0.5))
    path.write_text(path.read_text().replace("concurrency = [4]", "concurrency = [2, 4]"))
    return str(path)


@pytest.fixture(scope="module")
def run(counted: CountedLevels, scenario: str) -> RunFolder:
    """A run of two levels by ``perf-pipeline run``, the Dagster job in its child among it."""
    ended = counted.cli("run", scenario, "--json")
    folder = RunFolder(Path(last_object(ended.stdout)["folder"]))
    assert counted.of_run(folder.run_id) == LEVELS, ended.stderr
    return folder


def test_run_measures_each_level_once_and_prints_what_its_dagster_run_wrote(
    run: RunFolder,
) -> None:
    """The command writes neither metrics nor report again: that would be outside the lineage."""
    written = {name: (run.root / name).stat().st_mtime_ns for name in LATER}
    assert written["records.parquet"] < written["report.html"]
    assert written["metrics.json"] < written["report.html"]


def test_records_and_report_read_what_was_stored(counted: CountedLevels, run: RunFolder) -> None:
    before = run.metrics.stat().st_mtime_ns
    for command in ("records", "report"):
        ended = counted.cli(command, run.run_id, "--json")
        assert ended.returncode == 0, ended.stderr
    assert counted.of_run(run.run_id) == LEVELS
    assert run.metrics.stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_killed_run_is_measured_once_by_the_command_that_needs_it_first(
    counted: CountedLevels, run: RunFolder
) -> None:
    """A copy of a run as a kill leaves it: with journals, without anything derived."""
    killed = RunFolder(run.root.with_name(f"{run.run_id}-killed"))
    shutil.copytree(run.root, killed.root)
    for name in LATER:
        (killed.root / name).unlink()
    killed.end(KILLED, "it was killed")
    for command in ("report", "records"):
        ended = counted.cli(command, killed.run_id, "--json")
        assert ended.returncode == 0, ended.stderr
    assert counted.of_run(killed.run_id) == LEVELS


@pytest.mark.slow
def test_the_python_api_measures_each_level_once(
    sandbox: Sandbox, counted: CountedLevels, scenario: str
) -> None:
    ended = sandbox.run(str(counted.python), "-c", PYTHON_API, scenario)
    assert ended.returncode == 0, ended.stderr
    assert counted.of_run(ended.stdout.split()[-1]) == LEVELS
