"""A user's own code as it was at a revision of git, in a work tree of its own.

The files of the user are not touched: ``git worktree`` writes the revision into another folder,
beside which Git keeps a note in the repository (``.git/worktrees``) until it is removed. Where a
run is killed, ``git worktree prune`` removes that note.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.interleaved.arms import AbArm
    from perf_pipeline.config.scenario.scenario import Scenario

_GIT_S = 120


def with_commit(arm: AbArm, scenario: Scenario, search_path: str) -> AbArm:
    """Return an arm with the commit that its revision names; as it is without one.

    Args:
        arm: The arm.
        scenario: Its functions are in the repository.
        search_path: Where git is looked for.

    Raises:
        ScenarioError: The functions are in no repository, or it has no such revision or no such
            folder there.
    """
    if not arm.revision:
        return arm
    repository = _repository(arm, scenario, search_path)
    commit = repository.git("rev-parse", "--verify", "--quiet", f"{arm.revision}^{{commit}}")
    inside = repository.inside(_code_folder(scenario))
    repository.git("cat-file", "-e", f"{commit}:{inside}")
    return replace(arm, commit=commit)


@contextmanager
def checked_out(
    arm: AbArm, scenario: Scenario, folder: Path, search_path: str
) -> Iterator[Scenario]:
    """Check the revision of an arm out for the time of the block.

    Args:
        arm: With its commit.
        scenario: What the arm plays.
        folder: Folder of the work tree; must not exist.
        search_path: Where git is looked for.

    Yields:
        The scenario with the folders of its functions in the work tree; as it is without a
        revision.

    Raises:
        ScenarioError: The revision cannot be checked out.
    """
    if not arm.revision:
        yield scenario
        return
    repository = _repository(arm, scenario, search_path)
    try:
        repository.git("worktree", "add", "--quiet", "--detach", str(folder), arm.commit)
        yield replace(
            scenario,
            python_path=repository.moved(scenario.python_path, folder),
            folder=repository.moved(scenario.folder, folder),
        )
    finally:
        repository.remove(folder)


class _Repository:
    """The repository of a user's functions.

    Attributes:
        root: Its folder.
    """

    def __init__(self, git: str, root: Path, option: str, revision: str) -> None:
        """Take the program, the folder and the flag that errors are about."""
        self.root = root
        self._git = git
        self._about = f"{option} is {revision}, but"

    def git(self, *arguments: str) -> str:
        """Return what git prints.

        Raises:
            ScenarioError: It failed; with its own words.
        """
        # Hooks would execute programs, and `status` a configured one; neither is asked for.
        settings = (
            "core.hooksPath=/dev/null",
            "core.fsmonitor=false",
            f"safe.directory={self.root}",
        )
        options = [word for setting in settings for word in ("-c", setting)]
        command = [self._git, *options, "-C", str(self.root), *arguments]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, timeout=_GIT_S
            )
        except subprocess.CalledProcessError as error:
            said = str(error.stderr).strip() or "there is no such revision"
            raise ScenarioError([f"{self._about} in {self.root}: {said}."]) from error
        except subprocess.TimeoutExpired as error:
            what = f"git {arguments[0]} in {self.root} took more than {_GIT_S} s"
            raise ScenarioError([f"{self._about} {what}."]) from error
        return done.stdout.strip()

    def inside(self, path: Path) -> str:
        """Return a path relative to the repository, as git writes it: empty for its root."""
        relative = path.resolve().relative_to(self.root)
        return "" if relative == Path() else relative.as_posix()

    def moved(self, path: str | None, folder: Path) -> str | None:
        """Return the same path in a work tree; a path outside of the repository as it is."""
        if path is None or not Path(path).resolve().is_relative_to(self.root):
            return path
        return str(folder / self.inside(Path(path)))

    def remove(self, folder: Path) -> None:
        """Remove a work tree, and Git's note of it."""
        shutil.rmtree(folder, ignore_errors=True)
        self.git("worktree", "prune")


def _repository(arm: AbArm, scenario: Scenario, search_path: str) -> _Repository:
    option, folder = f"--{arm.name}-rev", _code_folder(scenario)
    git = shutil.which("git", path=search_path)
    if git is None:
        raise ScenarioError([f"{option} needs git, which is not installed."])
    found = _Repository(git, folder, option, arm.revision)
    return _Repository(git, Path(found.git("rev-parse", "--show-toplevel")), option, arm.revision)


def _code_folder(scenario: Scenario) -> Path:
    """Return the folder from which the user's functions are imported."""
    return Path(scenario.python_path or scenario.folder or ".").resolve()
