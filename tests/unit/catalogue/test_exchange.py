"""Results leave and arrive with their baselines, and old runs are added from wherever they are."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.archive.export import export_archive
from perf_pipeline.archive.unpack import import_archive, unpacked_runs
from perf_pipeline.catalogue.baselines import list_baselines, pin_baseline
from perf_pipeline.catalogue.exchange import take_in
from perf_pipeline.catalogue.file_names import BASELINES_FILE, CATALOGUE_FILE
from perf_pipeline.catalogue.old_runs import file_missing_runs, file_old_runs
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.run_list import list_runs
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive of two runs, of which one is the baseline ``stable``."""
    results = tmp_path / "here"
    for run in ("r-1", "r-2"):
        write_run(results, run)
    catalogue = open_catalogue(results)
    file_old_runs(catalogue, list_runs(results))
    pin_baseline(catalogue, "stable", ["r-1"], "why", NOW)
    export_archive(results, tmp_path / "a.tar.gz")
    return tmp_path / "a.tar.gz"


def test_an_imported_archive_brings_its_baselines(archive: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    there = tmp_path / "there"
    import_archive(archive, there, notify=lines.append)
    assert lines == ["baseline stable: r-1"]
    (one,) = list_baselines(open_catalogue(there))
    assert (one.name, one.runs, one.note, one.created) == (
        "stable",
        ("r-1",),
        "why",
        "2026-02-01T12:00:00+00:00",
    )
    assert sorted(path.name for path in there.iterdir()) == [CATALOGUE_FILE, "r-1", "r-2"]


def test_a_name_that_stands_for_other_runs_here_is_left_alone(
    archive: Path, tmp_path: Path
) -> None:
    there = tmp_path / "there"
    write_run(there, "r-8")
    catalogue = open_catalogue(there)
    file_old_runs(catalogue, list_runs(there))
    pin_baseline(catalogue, "stable", ["r-8"], "", NOW)
    lines: list[str] = []
    import_archive(archive, there, notify=lines.append)
    assert lines == ["baseline stable stands for r-8 here and was not replaced by r-1"]
    assert [one.runs for one in list_baselines(catalogue)] == [("r-8",)]


def test_a_damaged_catalogue_does_not_cost_the_import(archive: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.mkdir()
    (there / CATALOGUE_FILE).write_bytes(b"not a database" * 100)
    lines: list[str] = []
    import_archive(archive, there, notify=lines.append)
    (line,) = lines
    assert line.startswith("the runs are imported, and not all are in the catalogue: ")
    assert [run.run_id for run in list_runs(there)] == ["r-1", "r-2"]


def test_runs_of_an_archive_are_added_without_unpacking_it(archive: Path, tmp_path: Path) -> None:
    """The folder that is unpacked for it has no journals, and is gone afterwards."""
    (tmp_path / "there").mkdir()
    catalogue = open_catalogue(tmp_path / "there")
    with unpacked_runs(archive) as folder:
        assert {path.name for path in folder.rglob("*") if path.is_file()} == {
            "run.json",
            "metrics.json",
        }
        filed = file_old_runs(catalogue, list_runs(folder), archive)
    assert (filed.new, filed.unread) == (("r-1", "r-2"), ())
    assert not folder.exists()
    again = file_old_runs(catalogue, list_runs(tmp_path / "here"))
    assert (again.new, again.known) == ((), ("r-1", "r-2"))


def test_runs_without_metrics_are_named_and_those_that_are_filed_are_not_read_again(
    tmp_path: Path,
) -> None:
    catalogue = open_catalogue(tmp_path)
    first = write_run(tmp_path, "r-1")
    write_run(tmp_path, "r-2", measured=False)
    write_run(tmp_path, "r-3", status=None)
    filed = file_missing_runs(catalogue, list_runs(tmp_path))
    assert filed.new == ("r-1",)
    (line,) = filed.unread
    assert "r-2/metrics.json is missing" in line
    first.metrics.write_text("damaged")
    assert file_missing_runs(catalogue, [first]).unread == ()


@pytest.mark.parametrize("name", ["x\x1b[2J", "../x"])
def test_a_file_of_baselines_with_a_hostile_name_is_refused(tmp_path: Path, name: str) -> None:
    texts = dict.fromkeys(("scenario", "machine", "created", "note"), "")
    baselines = [{**texts, "name": name, "runs": ["r-1"]}]
    file = tmp_path / BASELINES_FILE
    file.write_text(json.dumps({"schema_version": 1, "baselines": baselines}))
    with pytest.raises(RunFolderError, match="was not written by perf_pipeline"):
        take_in(open_catalogue(tmp_path), [], file)
