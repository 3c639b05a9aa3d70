"""One catalogue, many writers: what is stored is whole, and what cannot be read is refused."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, select

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.catalogue import migrations, schema
from perf_pipeline.catalogue.file_names import CATALOGUE_FILE
from perf_pipeline.catalogue.filing import file_comparison, file_measured_run, file_run
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.catalogue.tables import Level, Metric, Run, Table, Verdict
from perf_pipeline.errors import CatalogueError
from perf_pipeline.metrics.types.comparison import Change, ComparedSide, Comparison
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path


def test_the_migrations_make_the_tables_that_the_code_has(tmp_path: Path) -> None:
    open_catalogue(tmp_path)
    with create_engine(f"sqlite:///{tmp_path / CATALOGUE_FILE}").connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE}
        )
        assert compare_metadata(context, Table.metadata) == []
    (folder,) = migrations.__path__
    assert ScriptDirectory(folder).get_heads() == [schema.LATEST]


def test_a_run_is_filed_once_however_often_it_is_added(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1")
    metrics, catalogue = metrics_of(folder), open_catalogue(tmp_path)
    assert [file_run(catalogue, metrics, folder.root) for _ in range(3)] == [True, False, False]
    with catalogue.reading() as session:
        (run,) = session.scalars(select(Run))
        (level,) = run.levels
        rate = next(one for one in level.metrics if one.metric == "throughput_per_s")
        rows = len(session.scalars(select(Metric)).all())
        assert rows == len(level.metrics)
    assert (run.id, run.scenario, run.target, run.validity) == (
        "r-1",
        "simulated",
        "control",
        "valid",
    )
    assert (level.label, level.validity, bool(level.comparable_key)) == ("10", "valid", True)
    assert (rate.value, rate.unit) == (pytest.approx(100, rel=0.03), "/s")


def test_a_run_that_is_measured_anew_has_its_new_figures(tmp_path: Path) -> None:
    catalogue = open_catalogue(tmp_path)
    for service_s in (0.1, 0.2):
        folder = write_run(tmp_path / str(service_s), "r-1", service_s=service_s)
        file_run(catalogue, metrics_of(folder), folder.root)
    with catalogue.reading() as session:
        values = session.scalars(select(Metric.value).where(Metric.metric == "avg_s")).all()
    assert values[0] == pytest.approx(0.2, rel=0.03)


def test_writers_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    """Eight threads, each with a connection of its own, on a catalogue that none has made yet."""
    folder = write_run(tmp_path, "r-0")
    metrics = metrics_of(folder)
    begin, problems = threading.Barrier(8), []

    def write(number: int) -> None:
        begin.wait()
        run = replace(metrics, run_id=f"r-{number}")
        file_measured_run(run, folder.root, None, problems.append)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert problems == []
    with open_catalogue(tmp_path).reading() as session:
        assert len(session.scalars(select(Run)).all()) == 8
        assert len(session.scalars(select(Level)).all()) == 8


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    catalogue = open_catalogue(tmp_path)
    folder = write_run(tmp_path, "r-1")
    with pytest.raises(CatalogueError, match="cannot be used"), catalogue.writing() as session:
        session.add_all([Run(id="r-2", **_columns()), Level(run_id="r-9", position=0)])
    with catalogue.reading() as session:
        assert session.scalars(select(Run)).all() == []
    assert file_run(catalogue, metrics_of(folder), folder.root)


def _columns() -> dict[str, object]:
    texts = ("folder", "scenario", "target", "target_version", "machine", "git_branch")
    more = ("git_commit", "plan_hash", "status", "validity", "created")
    return {**dict.fromkeys((*texts, *more), ""), "packages": {}, "git_dirty": False}


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\1" * 4096])
def test_a_damaged_file_is_refused_in_a_sentence_and_costs_a_run_nothing(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / CATALOGUE_FILE).write_bytes(content)
    with pytest.raises(
        CatalogueError, match=r"catalogue\.sqlite is damaged \(.*move the file away"
    ):
        open_catalogue(tmp_path)
    folder = write_run(tmp_path, "r-1")
    lines: list[str] = []
    file_measured_run(metrics_of(folder), folder.root, None, lines.append)
    (line,) = lines
    assert line.startswith("run r-1 is complete, and not in the catalogue: ")
    assert (tmp_path / CATALOGUE_FILE).read_bytes() == content


def test_a_database_of_a_newer_version_is_refused_and_not_changed(tmp_path: Path) -> None:
    open_catalogue(tmp_path)
    with sqlite3.connect(tmp_path / CATALOGUE_FILE) as database:
        database.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    database.close()
    before = (tmp_path / CATALOGUE_FILE).read_bytes()
    with pytest.raises(
        CatalogueError, match="schema 9999, and this version of perf_pipeline knows"
    ):
        open_catalogue(tmp_path)
    assert (tmp_path / CATALOGUE_FILE).read_bytes() == before


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match="there is no such folder"):
        open_catalogue(tmp_path / "results")
    assert list(tmp_path.iterdir()) == []


def test_the_verdicts_of_a_comparison_stay_when_its_candidate_is_filed_again(
    tmp_path: Path,
) -> None:
    """They are those on runs that are filed, and a comparison has them once."""
    folder = write_run(tmp_path, "r-2")
    catalogue, metrics = open_catalogue(tmp_path), metrics_of(folder)
    file_run(catalogue, metrics, folder.root)
    change = Change(
        "avg_s", "s", "10", "", False, "ratio", (1.0,), (1.2,), 1.2, 1.1, 1.3, 0.01,
        "regression", "major", "",
    )  # fmt: skip
    sides = [ComparedSide(name, runs, "control", ("valid",)) for name, runs in SIDES]
    comparison = Comparison(
        "c-1", "simulated", *sides, False, (), (change,), "regression", "major", ()
    )
    for _ in range(2):
        file_comparison(comparison, tmp_path, None, pytest.fail)
    file_run(catalogue, metrics, folder.root)
    with catalogue.reading() as session:
        (one,) = session.scalars(select(Verdict).where(Verdict.kind == "comparison"))
    assert (one.run_id, one.subject, one.verdict, one.detail) == (
        "r-2",
        "avg_s against pinned:stable",
        "regression",
        "c-1",
    )


SIDES = (("pinned:stable", ("r-1",)), ("r-2", ("r-2", "r-9")))
