"""The history of a git repository, as far as a baseline of a branch needs it."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from perf_pipeline.host.facts import GIT_S, git_command

if TYPE_CHECKING:
    from pathlib import Path

MAX_COMMITS = 10_000
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


def fork_ancestors(folder: Path, commit: str, branch: str, search_path: str) -> tuple[str, ...]:
    """Return the commits of a branch that a commit was forked from.

    Args:
        folder: In the repository.
        commit: The commit, which may be of that branch itself.
        branch: Name of a branch here, or of the remote ``origin``.
        search_path: Where git is looked for.

    Returns:
        From the fork point back, newest first, at most 10,000; empty where git is not installed,
        or does not know the commit or the branch.
    """
    git = shutil.which("git", path=search_path)
    if git is None or not _COMMIT.fullmatch(commit):
        return ()
    command = git_command(git, folder)
    for name in (f"refs/heads/{branch}", f"refs/remotes/origin/{branch}"):
        if fork := _answer([*command, "merge-base", commit, name]):
            count = f"--max-count={MAX_COMMITS}"
            return tuple(_answer([*command, "rev-list", count, fork[0]]))
    return ()


def _answer(command: list[str]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=GIT_S)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return []
    return done.stdout.split()
