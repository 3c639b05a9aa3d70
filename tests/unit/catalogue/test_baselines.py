"""Baselines: a name never stands for runs that could not be compared with one another."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.catalogue.baselines import list_baselines, pin_baseline, remove_baseline
from perf_pipeline.catalogue.filing import file_run
from perf_pipeline.catalogue.resolve import (
    baseline_folders,
    is_baseline_name,
    resolve_baseline,
)
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.errors import CatalogueError
from perf_pipeline.samples.run_record import INTERRUPTED
from tests.simulated_level import SimulatedWorker, closed_loop
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.catalogue.store import Catalogue
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
HERE = "a processor, 2 cores, 8.0 GB"


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    (tmp_path / "results").mkdir()
    return open_catalogue(tmp_path / "results")


@pytest.fixture
def filed(tmp_path: Path, catalogue: Catalogue) -> Any:
    """A function that writes a run, files it and returns its metrics; later runs start later."""
    runs: list[str] = []

    def write(run_id: str, **more: Any) -> RunMetrics:
        runs.append(run_id)
        more.setdefault("started_at", f"2026-01-{len(runs):02d}T00:00:00+00:00")
        folder = write_run(tmp_path / "results", run_id, **more)
        metrics = metrics_of(folder)
        file_run(catalogue, metrics, folder.root)
        return metrics

    return write


def resolved(
    catalogue: Catalogue, name: str, like: RunMetrics | None = None, lines: list[str] | None = None
) -> tuple[str, ...]:
    notify = (lines if lines is not None else []).append
    path = os.environ["PATH"]
    return resolve_baseline(catalogue, name, like, search_path=path, notify=notify)


def failing() -> SimulatedWorker:
    """Leave 16 workflows of 5 s: less than three turnovers of 10."""
    return SimulatedWorker(closed_loop(10, lambda _slot: 4.9, until_s=10))


def test_a_pinned_name_stands_for_its_runs_until_it_is_removed(
    catalogue: Catalogue, filed: Any
) -> None:
    filed("r-1")
    like = filed("r-2")
    pin_baseline(catalogue, "stable", ["r-1"], "release 2.19", NOW)
    assert resolved(catalogue, "pinned:stable", like) == ("r-1",)
    pin_baseline(catalogue, "stable", ["r-2", "r-1", "r-2"], "", NOW)
    (one,) = list_baselines(catalogue)
    assert (one.name, one.scenario, one.machine) == ("stable", "simulated", HERE)
    assert one.runs == ("r-2", "r-1")
    assert remove_baseline(catalogue, "stable") == (one,)
    with pytest.raises(CatalogueError, match="no baseline 'stable' is pinned \\(pinned are: none"):
        resolved(catalogue, "pinned:stable", like)


def test_a_name_has_runs_of_its_own_for_each_machine_and_scenario(
    catalogue: Catalogue, filed: Any
) -> None:
    here = filed("r-1")
    there = filed("r-2", host={"cores_usable": 64})
    filed("r-3", scenario="other")
    for run in ("r-1", "r-2", "r-3"):
        pin_baseline(catalogue, "stable", [run], "", NOW)
    assert resolved(catalogue, "pinned:stable", here) == ("r-1",)
    assert resolved(catalogue, "pinned:stable", there) == ("r-2",)
    with pytest.raises(CatalogueError, match="none of them is meant more than the others"):
        resolved(catalogue, "pinned:stable")


def test_a_run_of_an_unknown_machine_gets_the_only_runs_there_are_to_differ_from(
    catalogue: Catalogue, filed: Any
) -> None:
    """The comparison refuses the machine by name, which may be overridden."""
    filed("r-1")
    pin_baseline(catalogue, "stable", ["r-1"], "", NOW)
    other = filed("r-2", host={"cpu_model": "another processor"})
    assert resolved(catalogue, "pinned:stable", other) == ("r-1",)
    with pytest.raises(CatalogueError, match="stable has no run of scenario third"):
        resolved(catalogue, "pinned:stable", filed("r-3", scenario="third"))


@pytest.mark.parametrize(
    ("runs", "problem"),
    [
        (["r-9"], "run r-9 is not in the catalogue: add it with"),
        (["r-1", "r-2"], "pin runs of one machine at a time"),
        (["r-1", "r-3"], "pin runs of one scenario at a time"),
        (["r-4"], "none of its levels is valid"),
        ([], "name the runs"),
    ],
)
def test_what_cannot_be_a_baseline_is_refused_and_leaves_the_name_alone(
    catalogue: Catalogue, filed: Any, runs: list[str], problem: str
) -> None:
    filed("r-1")
    filed("r-2", host={"cores_usable": 64})
    filed("r-3", scenario="other")
    filed("r-4", status=INTERRUPTED, workers=[failing()])
    pin_baseline(catalogue, "stable", ["r-1"], "", NOW)
    with pytest.raises(CatalogueError, match=problem):
        pin_baseline(catalogue, "stable", runs, "", NOW)
    assert [one.runs for one in list_baselines(catalogue)] == [("r-1",)]


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 81, "é"])
def test_a_name_that_cannot_be_one_is_refused(catalogue: Catalogue, name: str) -> None:
    with pytest.raises(CatalogueError, match="is not a baseline name"):
        pin_baseline(catalogue, name, ["r-1"], "", NOW)


def test_rolling_takes_the_last_valid_runs_before_this_one_that_compare(
    catalogue: Catalogue, filed: Any
) -> None:
    """Left out: an invalid run, one of another machine, one of other phases, later ones, itself."""
    for number in (1, 2, 3):
        filed(f"r-{number}")
    filed("r-4", workers=[failing()])
    filed("r-5", host={"cores_usable": 64})
    filed("r-6", phases={"steady_s": 60})
    like = filed("r-7")
    filed("r-8")
    lines: list[str] = []
    assert resolved(catalogue, "rolling:2", like, lines) == ("r-2", "r-3")
    assert lines == []
    assert resolved(catalogue, "rolling:10", like, lines) == ("r-1", "r-2", "r-3")
    assert lines == ["rolling:10: only 3 valid runs before r-7 can be compared with it"]


def test_rolling_leads_over_versions_of_the_target_and_not_over_other_packages(
    catalogue: Catalogue, filed: Any
) -> None:
    def kailash(version: str, numpy: str) -> dict[str, Any]:
        packages = {"kailash": version, "numpy": numpy}
        return {"target": {"name": "control", "package": "kailash", "packages": packages}}

    filed("r-1", **kailash("2.18.0", "2.0"))
    filed("r-2", **kailash("2.19.0", "1.0"))
    like = filed("r-3", **kailash("2.20.0", "2.0"))
    assert resolved(catalogue, "rolling:5", like) == ("r-1",)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("rolling:0", "needs a number of runs"),
        ("rolling:x", "needs a number of runs"),
        ("rolling:3", "no valid run before r-1 has the same load"),
        ("branch:main", "no valid run before r-1 has the same load"),
        ("pinned:", "is not the name of a baseline"),
        ("latest:3", "write pinned:NAME, rolling:N or branch:NAME"),
    ],
)
def test_a_baseline_that_is_none_is_refused_in_a_sentence(
    catalogue: Catalogue, filed: Any, name: str, problem: str
) -> None:
    like = filed("r-1")
    with pytest.raises(CatalogueError, match=problem):
        resolved(catalogue, name, like)


def test_names_of_baselines_are_told_from_runs_and_files() -> None:
    assert [is_baseline_name(name) for name in ("pinned:x", "rolling:3", "branch:a/b")] == [
        True
    ] * 3
    assert [is_baseline_name(name) for name in ("pinned", "20260114_093012-4f2c", "C:x")] == [
        False
    ] * 3


def test_the_runs_of_a_baseline_are_found_where_they_are_now(
    catalogue: Catalogue, filed: Any, tmp_path: Path
) -> None:
    """In the results folder; else where they were when they were added; else it is refused."""
    filed("r-1")
    pin_baseline(catalogue, "stable", ["r-1"], "", NOW)

    def found(results: Path) -> list[Path]:
        folders = baseline_folders(
            catalogue, "pinned:stable", None, results=results, search_path=""
        )
        return [folder.root for folder in folders]

    here = tmp_path / "results"
    assert found(here) == found(tmp_path / "elsewhere") == [here / "r-1"]
    shutil.move(here / "r-1", tmp_path / "r-1")
    assert found(tmp_path) == [tmp_path / "r-1"]
    with pytest.raises(CatalogueError, match=r"run r-1 is neither in .* nor at "):
        found(here)


def test_runs_that_nobody_filed_are_in_a_rolling_baseline(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    """One without metrics is named."""
    results = tmp_path / "results"
    write_run(results, "r-1")
    write_run(results, "r-2", measured=False)
    like = metrics_of(write_run(results, "r-3"))
    lines: list[str] = []
    (found,) = baseline_folders(
        catalogue, "rolling:1", like, results=results, search_path="", notify=lines.append
    )
    assert found.run_id == "r-1"
    (line,) = lines
    assert line.startswith("not in rolling:1: ")
    assert "r-2/metrics.json is missing" in line


@pytest.fixture
def repository(tmp_path: Path) -> Any:
    """A git repository: main has a, b and d; topic was forked at b and has c."""
    folder = tmp_path / "code"
    folder.mkdir()

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.invalid"]
        command = ["git", *identity, "-C", str(folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet", "--initial-branch=main")
    commits = {}
    for name, branch in (("a", "main"), ("b", "main"), ("c", "topic"), ("d", "main")):
        if branch == "topic":
            git("checkout", "--quiet", "-b", "topic")
        else:
            git("checkout", "--quiet", "-B", "main", *(["main"] if name == "d" else []))
        git("commit", "--quiet", "--allow-empty", "--message", name)
        commits[name] = git("rev-parse", "HEAD")

    def code(name: str, branch: str, *, dirty: bool = False) -> dict[str, Any]:
        return {
            "user_code": {
                "folder": str(folder),
                "git_commit": commits.get(name, name),
                "git_branch": branch,
                "git_dirty": dirty,
            }
        }

    return code


def test_a_branch_is_compared_with_where_it_was_forked(
    catalogue: Catalogue, filed: Any, repository: Any
) -> None:
    """Not with what came to main since; a commit that was run twice gives both runs."""
    filed("r-1", **repository("a", "main"))
    filed("r-2", **repository("b", "main"))
    filed("r-3", **repository("b", "main"))
    filed("r-4", **repository("d", "main"))
    topic = filed("r-5", **repository("c", "topic"))
    lines: list[str] = []
    assert resolved(catalogue, "branch:main", topic, lines) == ("r-2", "r-3")
    assert lines == []


def test_where_the_fork_point_was_not_run_its_nearest_ancestor_is_taken(
    catalogue: Catalogue, filed: Any, repository: Any
) -> None:
    """A run with uncommitted changes is no run of its commit."""
    filed("r-1", **repository("a", "main"))
    filed("r-2", **repository("b", "main", dirty=True))
    filed("r-3", **repository("d", "main"))
    topic = filed("r-4", **repository("c", "topic"))
    assert resolved(catalogue, "branch:main", topic) == ("r-1",)


def test_without_a_fork_point_the_latest_of_the_branch_is_taken_and_named_so(
    catalogue: Catalogue, filed: Any, repository: Any
) -> None:
    filed("r-1", **repository("a", "main"))
    filed("r-2", **repository("d", "main"))
    unknown = filed("r-3", **repository("f" * 40, "topic"))
    lines: list[str] = []
    assert resolved(catalogue, "branch:main", unknown, lines) == ("r-2",)
    (line,) = lines
    assert line.startswith("branch:main: the latest run, of commit ")
    assert line.endswith("git does not know it")
    same = filed("r-4", **repository("d", "main"))
    assert resolved(catalogue, "branch:main", same) == ("r-2",)
