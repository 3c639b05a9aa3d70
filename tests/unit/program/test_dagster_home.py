"""Where the history of Dagster runs is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.program import dagster_home
from perf_pipeline.program.dagster_home import dagster_environment, remove_abandoned_homes
from tests.sandbox import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of ours, with the configuration of Dagster."""
    folder = tmp_path / "the project"
    folder.mkdir()
    shutil.copy(ROOT / "dagster.yaml", folder)
    return folder


def home_of(environ: dict[str, str], tmp_path: Path, project: Path) -> str:
    return dagster_environment(environ, tmp_path / "sta te", project)["DAGSTER_HOME"]


def test_the_history_is_in_a_project_of_our_own(tmp_path: Path, project: Path) -> None:
    assert home_of({"A": "b"}, tmp_path, project) == str(project)
    assert dagster_environment({"A": "b"}, tmp_path, project)["A"] == "b"


def test_a_home_of_the_users_own_is_followed(tmp_path: Path, project: Path) -> None:
    assert home_of({"DAGSTER_HOME": str(tmp_path)}, tmp_path, project) == str(tmp_path)


@pytest.mark.parametrize(
    ("given", "problem"),
    [("relative/home", "not an absolute path"), ("/none/such", "no folder"), ("/proc", "written")],
)
def test_a_home_that_dagster_cannot_use_is_refused_in_a_sentence(
    tmp_path: Path, project: Path, given: str, problem: str
) -> None:
    with pytest.raises(PerfPipelineError, match=problem) as refused:
        home_of({"DAGSTER_HOME": given}, tmp_path, project)
    assert f"DAGSTER_HOME is '{given}'" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("which", ["another user's", "another user's history"])
def test_the_history_of_another_users_project_is_in_the_state_folder(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """What root wrote into a colleague's checkout would lock the colleague out."""
    (project / ".dagster").mkdir()
    if which == "another user's":
        monkeypatch.setattr(dagster_home.os, "geteuid", lambda: os.getuid() + 1)
    elif os.getuid() == 0:
        os.chown(project / ".dagster", 65534, 65534)
    else:
        (project / ".dagster").chmod(0o500)
    home = tmp_path / "sta te" / "dagster"
    assert home_of({}, tmp_path, project) == str(home)
    config = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8"))
    assert config["storage"]["sqlite"]["base_dir"] == f"{home}/.dagster/storage"
    assert config["compute_logs"]["config"]["base_dir"] == f"{home}/.dagster/compute"
    assert config["local_artifact_storage"]["config"]["base_dir"] == f"{home}/.dagster"
    assert config["run_monitoring"]["enabled"]
    assert list((project / ".dagster").iterdir()) == []


def test_no_place_at_all_is_refused_in_a_sentence(
    tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dagster_home.os, "geteuid", lambda: os.getuid() + 1)
    (tmp_path / "sta te").write_text("a file")
    with pytest.raises(PerfPipelineError, match="set HOME or DAGSTER_HOME") as refused:
        home_of({}, tmp_path, project)
    assert "\n" not in str(refused.value)


def test_what_a_killed_dagster_command_left_is_removed(tmp_path: Path, project: Path) -> None:
    """Not a link, not our own, and none at all while a command works in the project."""
    killed, own = project / ".tmp_dagster_home_a", project / ".tmp_dagster_home_own"
    for folder in (killed, own, tmp_path / "elsewhere"):
        folder.mkdir()
    (project / ".tmp_dagster_home_b").symlink_to(tmp_path / "elsewhere")
    program = "import sys; print(flush=True); sys.stdin.read()"
    waits = [sys.executable, "-c", program, "dagster"]
    pipe = subprocess.PIPE
    with subprocess.Popen(waits, cwd=project, stdin=pipe, stdout=pipe) as working:
        assert working.stdout is not None
        assert working.stdout.read(1)
        assert remove_abandoned_homes(own, project) == []
        working.communicate()
    (line,) = remove_abandoned_homes(own, project)
    assert line.startswith(str(killed))
    assert not killed.exists()
    assert own.exists()
    assert (tmp_path / "elsewhere").exists()
