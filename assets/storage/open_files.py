"""Dagster's SQLite files in the process of one run, without what is done anew for each event.

For each event Dagster makes an engine and a connection and closes both. As the last connection to
a file, each takes its log (WAL) apart, with several forced writes. And whenever it opens a file,
Alembic imports the modules that describe its revisions.
"""

import sqlite3
from typing import Any

from alembic.config import Config
from alembic.script import ScriptDirectory
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from sqlalchemy import Engine, create_engine, event, make_url

_READ = "PRAGMA schema_version"
_LOGGED = "PRAGMA journal_mode=WAL"
_COMMITS_UNFORCED = "PRAGMA synchronous=NORMAL"
"""What is committed survives the end of any process; a loss of power may take the last events."""


class OpenFiles:
    """Engines by address, each with a connection that stays open beside those that come and go."""

    def __init__(self) -> None:
        """Open nothing."""
        self._engines: dict[str, Engine] = {}
        self._kept: dict[str, sqlite3.Connection] = {}

    def engine(self, address: str, **options: Any) -> Engine:
        """Return the engine of a file: as ``create_engine`` makes it, and the same each time."""
        if address not in self._engines:
            self._engines[address] = made = create_engine(address, **options)
            event.listen(made, "connect", lambda new, _record: new.execute(_COMMITS_UNFORCED))
            path = make_url(address).database or ""
            self._kept[address] = sqlite3.connect(path, check_same_thread=False)
            self._kept[address].execute(_LOGGED).close()  # its tables too are made unforced
        # Only a connection that has read since the file got its log keeps that log.
        self._kept[address].execute(_READ).close()
        return self._engines[address]


def open_files_once() -> None:
    """From now on, open each file of the runs once in this process, and read revisions once."""
    read, files = ScriptDirectory.from_config, OpenFiles()
    revisions: dict[str | None, ScriptDirectory] = {}

    def revisions_of(config: Config) -> ScriptDirectory:
        place = config.get_main_option("script_location")
        if place not in revisions:
            revisions[place] = read(config)
        return revisions[place]

    ScriptDirectory.from_config = revisions_of  # type: ignore[method-assign]
    for storage in (sqlite_event_log, sqlite_run_storage):
        storage.create_engine = files.engine  # type: ignore[attr-defined]
