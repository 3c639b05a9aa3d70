"""The commands catalogue and baseline: old runs are added, names stand for runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.archive.export import export_archive
from perf_pipeline.catalogue.file_names import CATALOGUE_FILE
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Answer


def test_old_runs_are_added_from_folders_and_archives_once(
    command: Callable[..., Answer], here: Path
) -> None:
    write_run(here / "old", "r-1")
    write_run(here / "old", "r-2")
    write_run(here / "older", "r-3")
    write_run(here / "packed", "r-4")
    export_archive(here / "packed", here / "a.tar.gz")
    write_run(here / "results", "r-5")
    paths = ("old", "older/r-3", "a.tar.gz")
    added = command("catalogue", "add", *paths, "--json")
    assert added.code == 0, added.err
    assert added.reported["new"] == ["r-1", "r-2", "r-3", "r-4"]
    again = command("catalogue", "add", *paths)
    assert again.code == 0
    assert "added 0 runs; 4 were there" in again.out
    shown = command("catalogue", "show", "--json").reported
    assert (shown["catalogue"], shown["runs"]) == (str(here / "results" / CATALOGUE_FILE), 4)
    assert not (here / "old" / CATALOGUE_FILE).exists()


def test_what_cannot_be_added_is_named(command: Callable[..., Answer], here: Path) -> None:
    write_run(here / "results", "r-1")
    write_run(here / "old", "r-2", measured=False)
    write_run(here / "old", "r-3")
    some = command("catalogue", "add", "old")
    assert some.code == 0
    assert "r-2/metrics.json is missing" in some.out
    none = command("catalogue", "add", "old/r-2")
    assert none.code == 2
    assert "nothing was added" in none.err


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("catalogue add", "catalogue add PATH..."),
        ("catalogue show x", "catalogue add PATH..."),
        ("catalogue add nowhere", "nowhere is neither a folder nor an archive"),
        ("baseline pin stable", "baseline pin NAME RUN..."),
        ("baseline remove", "baseline remove NAME"),
        ("baseline list a b", "baseline list [NAME]"),
        ("baseline remove stable", "no baseline 'stable' is pinned"),
        ("baseline pin stable nothing", "run nothing is not in the catalogue"),
    ],
)
def test_wrong_use_is_exit_code_2_with_a_sentence(
    command: Callable[..., Answer], here: Path, words: str, problem: str
) -> None:
    write_run(here / "results", "r-1")
    answer = command(*words.split(), "--json")
    assert answer.code == 2
    assert problem in " ".join(answer.reported["problems"])


def test_a_folder_without_runs_has_no_catalogue(command: Callable[..., Answer], here: Path) -> None:
    answer = command("baseline", "list")
    assert answer.code == 2
    assert "there is no such folder" in answer.err
    assert list(here.iterdir()) == []


def test_a_name_is_pinned_listed_and_removed(command: Callable[..., Answer], here: Path) -> None:
    """A run that was never filed is filed first."""
    write_run(here / "results", "r-1")
    pinned = command("baseline", "pin", "stable", "latest", "--note", "release 2.19")
    assert pinned.code == 0, pinned.err
    assert pinned.out.startswith("pinned stable (release 2.19): r-1; simulated on a processor")
    (one,) = command("baseline", "list", "--json").reported["baselines"]
    assert (one["name"], one["runs"]) == ("stable", ["r-1"])
    assert command("baseline", "remove", "stable").out.startswith("removed stable")
    assert command("baseline", "list").out == "no baseline is pinned\n"
