"""A revision of the user's code is checked out beside it, by a real git, and removed again."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from perf_pipeline.config.interleaved.arms import AbArm
from perf_pipeline.config.scenario.scenario import Scenario, Workload
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.environment.revisions import checked_out, with_commit

PATH = "/usr/local/bin:/usr/bin:/bin"
pytestmark = pytest.mark.skipif(shutil.which("git", path=PATH) is None, reason="git is missing")


def git(folder: Path, *arguments: str) -> str:
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Return the folder ``src`` of a repository with two commits, and a change after them."""
    root = tmp_path / "repository"
    source = root / "src"
    source.mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    for version in (1, 2):
        (source / "shop.py").write_text(f"VERSION = {version}\n")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", f"version {version}")
        git(root, "tag", f"v{version}")
    (source / "shop.py").write_text("VERSION = 3\n")
    hook = root / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hooked\n")
    hook.chmod(0o755)
    return source


def scenario_in(code: Path) -> Scenario:
    return Scenario(
        "mine",
        target="callable",
        workloads=(Workload("shop:order", ""),),
        python_path=str(code),
        folder=str(code.parent),
    )


def test_an_arm_plays_the_files_of_its_revision_and_the_users_files_stay(
    code: Path, tmp_path: Path
) -> None:
    scenario = scenario_in(code)
    arm = with_commit(AbArm("a", "callable", revision="v1"), scenario, PATH)
    assert arm.commit == git(code, "rev-parse", "v1")

    with checked_out(arm, scenario, tmp_path / "tree", PATH) as played:
        assert played.python_path == str(tmp_path / "tree" / "src")
        assert played.folder == str(tmp_path / "tree")
        assert Path(played.python_path, "shop.py").read_text() == "VERSION = 1\n"
        assert (code / "shop.py").read_text() == "VERSION = 3\n"

    assert not (tmp_path / "tree").exists()
    assert len(git(code, "worktree", "list").splitlines()) == 1
    assert not (tmp_path / "hooked").exists()  # no hook of the repository was executed


def test_without_a_revision_the_files_are_played_as_they_are(code: Path, tmp_path: Path) -> None:
    scenario, arm = scenario_in(code), AbArm("b", "callable")
    assert with_commit(arm, scenario, PATH) == arm
    with checked_out(arm, scenario, tmp_path / "tree", PATH) as played:
        assert played == scenario


def test_an_unknown_revision_is_named_before_anything_starts(code: Path) -> None:
    arm = AbArm("b", "callable", revision="v9")
    with pytest.raises(ScenarioError, match=r"--b-rev is v9, but in .*: there is no such revision"):
        with_commit(arm, scenario_in(code), PATH)


def test_a_revision_without_the_functions_folder_is_refused(code: Path) -> None:
    new = code.parent / "new"
    new.mkdir()
    arm = AbArm("a", "callable", revision="v2")
    with pytest.raises(ScenarioError, match="--a-rev is v2"):
        with_commit(arm, scenario_in(new), PATH)


def test_code_in_no_repository_is_refused(tmp_path: Path) -> None:
    arm = AbArm("a", "callable", revision="main")
    with pytest.raises(ScenarioError, match="not a git repository"):
        with_commit(arm, scenario_in(tmp_path), PATH)


def test_without_git_the_error_says_so(code: Path, tmp_path: Path) -> None:
    arm = AbArm("a", "callable", revision="main")
    with pytest.raises(ScenarioError, match="--a-rev needs git"):
        with_commit(arm, scenario_in(code), str(tmp_path))
