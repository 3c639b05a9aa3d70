"""Opens the catalogue: a SQLite file beside the runs, or a PostgreSQL database of the user's.

The file is ``catalogue.sqlite`` in the results folder, so that each results folder has the history
of its own runs and a copy of the folder has it too. It has a rollback journal instead of a
write-ahead log: it is one file between transactions, and a run writes to it once. A database that
several hosts share has the runs of all of them.

Writers take a lock of the whole catalogue (``BEGIN IMMEDIATE``; an advisory lock in PostgreSQL)
and wait for it: a run's figures are some hundred rows, written once.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from perf_pipeline.catalogue.file_names import CATALOGUE_FILE
from perf_pipeline.catalogue.schema import bring_up_to_date, has_latest_schema
from perf_pipeline.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_WAITS_S = 30
_LOCK = 7_206_118_417_225_614
"""Number of the advisory lock in PostgreSQL; any that others do not use."""
_WRITES = "perf_pipeline_writes"
_DAMAGED = ("malformed", "not a database", "disk i/o error")


class Catalogue:
    """An open catalogue.

    Attributes:
        place: The file, or the URL without its password, for messages.
    """

    def __init__(self, engine: Engine, place: str) -> None:
        """Take an engine whose database is up to date."""
        self._engine = engine
        self.place = place

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that sees one state of the catalogue.

        Raises:
            CatalogueError: The database is damaged or cannot be reached.
        """
        with _explained(self.place), Session(self._engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session of the only writer; what it wrote is stored as a whole, or not at all.

        Raises:
            CatalogueError: Likewise, or others wrote for longer than 30 s.
        """
        with (
            _explained(self.place),
            _locked(self._engine) as connection,
            Session(connection) as session,
        ):
            yield session
            session.commit()


def open_catalogue(results: Path, url: str | None = None) -> Catalogue:
    """Open the catalogue of a results folder; it is made, or brought up to date, where it must be.

    Args:
        results: The folder of the runs; it must exist unless there is a URL.
        url: PostgreSQL database in its place; None for the file in the folder.

    Raises:
        CatalogueError: It is damaged, was written by a newer version, or cannot be reached.
    """
    place, address = _address(results, url)
    if url is None and not results.is_dir():
        raise CatalogueError(f"no catalogue in {results}: there is no such folder, so no run in it")
    engine = _engine(address)
    with _explained(place):
        bring_up_to_date(engine, lambda: _locked(engine), place)
    return Catalogue(engine, place)


def stored_catalogue(results: Path, url: str | None = None) -> Catalogue | None:
    """Open the catalogue of a results folder for reading alone: nothing is made, or migrated.

    Args:
        results: The folder of the runs.
        url: As ``open_catalogue`` takes it.

    Returns:
        None where no run was filed in the folder yet.

    Raises:
        CatalogueError: It is damaged, is of another version, or cannot be reached.
    """
    place, address = _address(results, url)
    if url is None:
        path = results.absolute() / CATALOGUE_FILE
        if not path.exists():
            return None
        if path.is_symlink() or not path.is_file():
            raise CatalogueError(f"catalogue {path} is no regular file: it is not read")
        query = {"mode": "ro", "uri": "true"}
        address = URL.create("sqlite", database=f"file:{quote(str(path))}", query=query)
    else:
        read_only = {"options": "-c default_transaction_read_only=on"}
        address = address.update_query_dict(read_only)
    engine = _engine(address)
    with _explained(place):
        if not has_latest_schema(engine):
            raise CatalogueError(
                f"catalogue {place} was written by another version of perf_pipeline: "
                "`perf-pipeline catalogue show` brings an older one up to date"
            )
    return Catalogue(engine, place)


def _address(results: Path, url: str | None) -> tuple[str, URL]:
    if url is None:
        path = results.absolute() / CATALOGUE_FILE
        return str(path), URL.create("sqlite", database=str(path))
    try:
        address = make_url(url).set(drivername="postgresql+psycopg")
    except ArgumentError as error:
        raise CatalogueError(
            "PERF_PIPELINE_CATALOGUE_URL cannot be read: write it like "
            "postgresql://user:password@host/database"
        ) from error
    return address.set(drivername="postgresql").render_as_string(), address


def _engine(address: URL) -> Engine:
    if address.get_backend_name() != "sqlite":
        return create_engine(address, poolclass=NullPool, connect_args={"connect_timeout": 10})
    engine = create_engine(
        address,
        poolclass=NullPool,
        # We begin transactions ourselves: sqlite3 would begin none for what changes tables.
        connect_args={"timeout": _WAITS_S, "isolation_level": None},
    )
    event.listen(engine, "connect", _enforce_references)
    event.listen(engine, "begin", _begin)
    return engine


def _enforce_references(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction of the only writer; it is committed unless the block raises."""
    with engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield connection


@contextmanager
def _explained(place: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
        what = " ".join(str(cause).split())[:300]
        if any(sign in what.lower() for sign in _DAMAGED):
            raise CatalogueError(
                f"catalogue {place} is damaged ({what}). No run is affected: move the file away, "
                "and `perf-pipeline catalogue add RESULTS` fills a new one from the runs. Pinned "
                "baselines are in exported archives alone"
            ) from error
        if "locked" in what:
            raise CatalogueError(
                f"catalogue {place} is locked: another process has written to it for more than "
                f"{_WAITS_S} s; try again"
            ) from error
        raise CatalogueError(f"catalogue {place} cannot be used: {what}") from error
