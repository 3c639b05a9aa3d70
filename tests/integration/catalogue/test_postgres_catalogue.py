"""The catalogue in a real PostgreSQL, which several hosts and results folders share."""

from __future__ import annotations

import multiprocessing
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import sql
from sqlalchemy import create_engine, make_url, select

from perf_pipeline.analysis.history import read_history
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.catalogue import schema
from perf_pipeline.catalogue.baselines import pin_baseline
from perf_pipeline.catalogue.file_names import CATALOGUE_FILE
from perf_pipeline.catalogue.filing import file_measured_run, file_run
from perf_pipeline.catalogue.resolve import resolve_baseline
from perf_pipeline.catalogue.store import open_catalogue
from perf_pipeline.catalogue.tables import Metric, Run, Table
from perf_pipeline.errors import CatalogueError
from perf_pipeline.samples.run_folder import RunFolder
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.servers.server import Server

pytestmark = [pytest.mark.integration, pytest.mark.requires_postgres]

NOW = datetime(2026, 2, 1, 12, tzinfo=UTC)
WRITERS = 4


@pytest.fixture
def url(servers: dict[str, Server]) -> Iterator[str]:
    """A database of the test's own on the session's PostgreSQL."""
    name = f"catalogue_{secrets.token_hex(4)}"
    server = servers["postgres"].url
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield make_url(server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(server, autocommit=True) as connection:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
        connection.execute(drop.format(sql.Identifier(name)))


def _file(folder: Path, url: str, begin: object, problems: object) -> None:
    """File a run, in a process of its own, as soon as all are ready."""
    metrics = metrics_of(RunFolder(folder))
    begin.wait()  # type: ignore[attr-defined]
    file_measured_run(metrics, folder, url, problems.put)  # type: ignore[attr-defined]


def test_history_and_baselines_are_those_of_all_folders(tmp_path: Path, url: str) -> None:
    """Two hosts with a results folder each; neither has a file of its own beside the runs."""
    for host, run in (("one", "r-1"), ("two", "r-2")):
        folder = write_run(tmp_path / host, run)
        file_run(open_catalogue(tmp_path / host, url), metrics_of(folder), folder.root)
    history = read_history(tmp_path / "one", url=url)
    (series,) = history.series
    assert [point.run_id for point in series.points] == ["r-1", "r-2"]
    catalogue = open_catalogue(tmp_path / "one", url)
    pin_baseline(catalogue, "stable", ["r-1"], "", NOW)
    like = metrics_of(RunFolder(tmp_path / "two/r-2"))
    for name in ("pinned:stable", "rolling:3"):
        assert resolve_baseline(catalogue, name, like, search_path="") == ("r-1",)
    assert not list(tmp_path.rglob(CATALOGUE_FILE))


def test_the_migrations_make_the_tables_that_the_code_has(tmp_path: Path, url: str) -> None:
    open_catalogue(tmp_path, url)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Table.metadata) == []
    engine.dispose()


def test_processes_that_begin_together_lose_nothing(tmp_path: Path, url: str) -> None:
    """The first of them makes the tables; all of them write the same runs as well as their own."""
    folders = [write_run(tmp_path, f"r-{number}").root for number in range(WRITERS)]
    spawn = multiprocessing.get_context("fork")
    begin, problems = spawn.Barrier(WRITERS), spawn.Queue()
    writers = [
        spawn.Process(target=_file, args=(folder, url, begin, problems)) for folder in folders
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert problems.empty(), problems.get()
    with open_catalogue(tmp_path, url).reading() as session:
        assert len(session.scalars(select(Run)).all()) == WRITERS
        rows = session.scalars(select(Metric.run_id)).all()
    assert {rows.count(folder.name) for folder in folders} == {len(rows) // WRITERS}


def test_a_database_out_of_reach_is_named_without_its_password_and_costs_a_run_nothing(
    tmp_path: Path, url: str
) -> None:
    away = (
        make_url(url)
        .set(port=1, password="CANARY-of-the-test")
        .render_as_string(hide_password=False)
    )
    with pytest.raises(CatalogueError, match="cannot be used: ") as refused:
        open_catalogue(tmp_path, away)
    assert "CANARY" not in str(refused.value)
    folder = write_run(tmp_path, "r-1")
    lines: list[str] = []
    file_measured_run(metrics_of(folder), folder.root, away, lines.append)
    (line,) = lines
    assert line.startswith("run r-1 is complete, and not in the catalogue: ")
    assert "CANARY" not in line


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path, url: str) -> None:
    open_catalogue(tmp_path, url)
    with psycopg.connect(url) as connection:
        connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(CatalogueError, match="has schema 9999"):
        open_catalogue(tmp_path, url)
