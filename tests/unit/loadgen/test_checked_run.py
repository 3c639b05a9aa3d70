"""What the command line has checked reaches the process that runs it, as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import list_scenarios, open_scenario
from perf_pipeline.errors import RunFolderError
from perf_pipeline.loadgen.checked_run import CheckedRun, read_checked_run
from perf_pipeline.loadgen.environment.environment import TargetEnvironment


@pytest.mark.parametrize("name", list_scenarios())
def test_every_scenario_is_read_back_equal(tmp_path: Path, name: str) -> None:
    scenario = open_scenario(name, read_machine_limits())
    environment = TargetEnvironment(Path("/opt/python"), "a hash", {"kailash": "2.65.0"})
    checked = CheckedRun("r-1", scenario, {scenario.target: environment})
    file = tmp_path / "checked"
    file.write_bytes(checked.to_json())
    assert read_checked_run(file) == checked


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "checked").write_text('{"schema_version": 1}')
    with pytest.raises(RunFolderError, match="checked is not what this version writes"):
        read_checked_run(tmp_path / "checked")


def test_it_is_read_from_a_descriptor_which_the_kernel_shows_as_a_link(tmp_path: Path) -> None:
    checked = CheckedRun("r-1", open_scenario("baseline", read_machine_limits()), {})
    with (tmp_path / "checked").open("w+b") as file:
        file.write(checked.to_json())
        file.flush()
        assert read_checked_run(Path(f"/proc/self/fd/{file.fileno()}")) == checked
