"""The schema of the catalogue's database: its version, and the migrations to the latest one."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from perf_pipeline.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection, Engine

VERSION_TABLE = "catalogue_version"
LATEST = "0002"
"""The newest migration; a test compares it to the folder."""

_ALEMBIC = threading.Lock()
"""Alembic keeps the migration that goes on in its modules: one thread at a time."""
_MIGRATIONS = Path(__file__).parent / "migrations"


def bring_up_to_date(
    engine: Engine, locked: Callable[[], AbstractContextManager[Connection]], place: str
) -> None:
    """Migrate a database to the latest schema unless it has it.

    Args:
        engine: The database.
        locked: Begins a transaction of the only writer.
        place: Where the database is, for the error.

    Raises:
        CatalogueError: A newer version has written it.
    """
    with engine.connect() as connection:
        if _version(connection) == LATEST:
            return
    with locked() as connection:
        version = _version(connection)
        if version is not None and version > LATEST:
            raise CatalogueError(
                f"catalogue {place} has schema {version}, and this version of perf_pipeline knows "
                f"schemas up to {LATEST}: a newer version has written it. Update perf_pipeline, or "
                "name another results folder or PERF_PIPELINE_CATALOGUE_URL. Nothing was changed"
            )
        if version != LATEST:
            _upgrade(connection)


def has_latest_schema(engine: Engine) -> bool:
    """Return whether a database can be read as it is."""
    with engine.connect() as connection:
        return _version(connection) == LATEST


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608 - our own constant
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - 0.1 s that only a migration pays
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(config, "head")
