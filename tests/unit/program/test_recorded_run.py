"""A run from Python is recorded where Dagster has a history; a failure of that costs it nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from perf_pipeline.program import dagster_job
from perf_pipeline.program.recorded_run import history_environment, record_run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def project(folder: Path, *, history: bool) -> Path:
    """Write a project as far as it is looked at."""
    made = folder / "project"
    (made / "assets").mkdir(parents=True)
    if history:
        (made / ".dagster").mkdir()
    return made


def test_without_a_history_nothing_is_recorded_and_nothing_said(tmp_path: Path) -> None:
    said: list[str] = []
    record_run(
        tmp_path / "r-1", {}, tmp_path / "state", said.append, project(tmp_path, history=False)
    )
    assert said == []


def test_a_history_is_that_of_the_project_or_of_dagster_home(tmp_path: Path) -> None:
    here = project(tmp_path, history=True)
    found = history_environment({"A": "b"}, tmp_path / "state", here)
    assert found == {"A": "b", "DAGSTER_HOME": str(here)}
    named = {"DAGSTER_HOME": str(tmp_path)}
    assert history_environment(named, tmp_path / "state", here) == named
    (here / "assets").rmdir()
    assert history_environment(named, tmp_path / "state", here) is None


def test_a_home_of_no_use_is_said_and_costs_the_run_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    environ = {"DAGSTER_HOME": "relative"}
    here = project(tmp_path, history=True)
    record_run(tmp_path / "r-1", environ, tmp_path / "state", said.append, here)
    (line,) = said
    assert line.startswith("run r-1 is complete, and not recorded in Dagster: DAGSTER_HOME is")


def test_a_job_that_fails_is_said_with_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program stands in for Dagster's."""
    said: list[str] = []
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho no such job >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(dagster_job.sys, "executable", str(program))
    monkeypatch.setattr(dagster_job, "bound_command", lambda command, *_: command)
    environ = {"PATH": os.environ["PATH"]}
    here = project(tmp_path, history=True)
    record_run(tmp_path / "r-1", environ, tmp_path / "state", said.append, here)
    assert said == ["run r-1 is complete, and not recorded in Dagster: no such job"]
