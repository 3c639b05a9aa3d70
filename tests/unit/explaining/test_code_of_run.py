"""A user's own functions are explained with the code that the run executed, or not at all."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.explaining.code_of_run import NotPlayedAgainError, code_of_run
from perf_pipeline.host.facts import read_git_state
from tests.manifests import make_manifest

if TYPE_CHECKING:
    from perf_pipeline.samples.manifest import Manifest

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is missing")

SCENARIO = """
target = "callable"
python_path = "."
concurrency = [2]
[[workload]]
function = "shop:order"
"""


@dataclass
class Shop:
    """A repository with a user's functions and their scenario."""

    folder: Path
    settings: Settings

    def write(self, rounds: int) -> None:
        (self.folder / "shop.py").write_text(f"def order(number):\n    return {rounds}\n")

    def git(self, *arguments: str) -> None:
        mail = ("-c", "user.name=t", "-c", "user.email=t@localhost")
        subprocess.run(["git", "-C", self.folder, *mail, *arguments], check=True)

    def commit(self, rounds: int) -> None:
        self.write(rounds)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", str(rounds))

    def run(self, **other: Any) -> Manifest:
        """Return the manifest of a run of the code as it is now."""
        state = read_git_state(self.folder, self.settings.search_path)
        code = {
            "folder": str(self.folder),
            "git_commit": state.commit,
            "git_branch": state.branch,
            "git_dirty": state.dirty,
            "changes_sha256": state.changes_sha256,
        }
        known = {"user_code": code, "scenario_file": str(self.folder / "mine.toml"), **other}
        return make_manifest(workloads=[{"family": "shop:order", "complexity": ""}], **known)

    def played(self, run: Manifest) -> tuple[Path, str]:
        """Return from where the functions of a run are imported, and what is there."""
        with code_of_run("old", run, self.settings) as scenario:
            folder = Path(scenario.python_path or "")
            return folder, (folder / "shop.py").read_text()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "mine.toml").write_text(SCENARIO)
    made = Shop(folder, replace(current_settings(), temp_dir=tmp_path))
    made.git("init", "--quiet")
    made.commit(1)
    return made


def test_an_older_run_is_played_from_its_commit_and_the_files_of_the_user_stay(shop: Shop) -> None:
    run = shop.run()
    shop.commit(2)
    folder, code = shop.played(run)
    assert "return 1" in code
    assert folder != shop.folder
    assert not folder.exists()
    assert "return 2" in (shop.folder / "shop.py").read_text()
    assert not (shop.folder / ".git" / "worktrees").exists()


def test_a_run_of_the_files_as_they_are_is_played_from_them_changes_included(shop: Shop) -> None:
    for _ in range(2):
        folder, code = shop.played(shop.run())
        assert folder == shop.folder
        assert code == (shop.folder / "shop.py").read_text()
        shop.write(3)  # the second time: a change that is in no commit


def test_a_run_whose_changes_are_gone_is_not_explained(shop: Shop) -> None:
    shop.write(3)
    run = shop.run()
    shop.write(4)
    with pytest.raises(NotPlayedAgainError, match=r"executed changes of .* that were in no commit"):
        shop.played(run)


def test_a_run_outside_of_a_repository_is_not_explained(shop: Shop) -> None:
    with pytest.raises(NotPlayedAgainError, match=r"in no git repository.*`perf-pipeline ab`"):
        shop.played(shop.run(user_code=None))


def test_a_scenario_that_means_something_else_now_is_not_played_in_its_place(shop: Shop) -> None:
    run = shop.run()
    (shop.folder / "mine.toml").write_text(SCENARIO.replace("shop:order", "shop:other"))
    with pytest.raises(NotPlayedAgainError, match=r"not as it was in run .* \(functions\)"):
        shop.played(run)
