"""Fork points, from real repositories."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.host.facts import read_git_state
from perf_pipeline.host.git_history import fork_ancestors

if TYPE_CHECKING:
    from pathlib import Path

PATH = os.environ["PATH"]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.invalid"]
    command = ["git", *identity, "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def forked(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A repository: a and b on main, then c on topic and d on main; and its commits."""
    folder = tmp_path / "code"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commits = {}
    for name, branch in (("a", "main"), ("b", "main"), ("c", "topic"), ("d", "main")):
        if branch == "topic":
            git(folder, "checkout", "--quiet", "-b", branch)
        elif name == "d":
            git(folder, "checkout", "--quiet", branch)
        git(folder, "commit", "--quiet", "--allow-empty", "--message", name)
        commits[name] = git(folder, "rev-parse", "HEAD")
    return folder, commits


def test_the_ancestors_begin_at_the_fork_point(forked: tuple[Path, dict[str, str]]) -> None:
    folder, commits = forked
    shared = (commits["b"], commits["a"])
    assert fork_ancestors(folder, commits["c"], "main", PATH) == shared
    assert fork_ancestors(folder, commits["d"], "main", PATH) == (commits["d"], *shared)


def test_a_branch_of_the_remote_is_known_by_its_name(
    forked: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    """As in a checkout of a build server, which has the branch under test alone."""
    folder, commits = forked
    git(tmp_path, "clone", "--quiet", "--branch", "topic", str(folder), "clone")
    clone = tmp_path / "clone"
    assert fork_ancestors(clone, commits["c"], "main", PATH) == (commits["b"], commits["a"])


@pytest.mark.parametrize(
    ("commit", "branch", "path"),
    [
        ("f" * 40, "main", PATH),
        ("", "main", PATH),
        ("--help", "main", PATH),
        ("HEAD", "elsewhere", PATH),
        ("a" * 40, "main", "/nowhere"),
    ],
)
def test_what_git_does_not_know_has_no_ancestors(
    forked: tuple[Path, dict[str, str]], commit: str, branch: str, path: str
) -> None:
    assert fork_ancestors(forked[0], commit, branch, path) == ()


def test_the_state_of_a_folder_has_its_branch(forked: tuple[Path, dict[str, str]]) -> None:
    """A commit that is checked out without a branch has none."""
    folder, commits = forked
    assert read_git_state(folder, PATH).branch == "main"
    git(folder, "checkout", "--quiet", "--detach", commits["c"])
    state = read_git_state(folder, PATH)
    assert (state.branch, state.commit) == ("", commits["c"])
