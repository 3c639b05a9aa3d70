"""MySQL's or MariaDB's tables locked by a session that is idle."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from pymysql import MySQLError

from perf_pipeline.faults.arguments import server_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.servers.mysql.session import database_of, session
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pymysql.cursors import Cursor

    from perf_pipeline.faults.fault import Place, State

_MARK = "information_schema"
"""The database that the session with the lock has entered: it is known by that, since the server
need not know the name of a program."""

_ANSWER_S = 2.0
_LOCK_WAIT_S = 4
_FUSE_S = 10
"""The server ends the session itself when its client is silent for so long, alive or not."""

_ATTEMPTS = 3
_DEADLOCK = "1213"
_TRIED_TABLES = 8

_REFUSALS = (1205, 3024, 1969)
"""Lock wait timeout; execution time exceeded (MySQL, MariaDB)."""

_TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY 1"""

_HELD = "SELECT count(*) FROM information_schema.processlist WHERE db = %s AND command = 'Sleep'"
_WAITING = "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for %%'"


class MysqlLock:
    """Locks the tables of runs, or all of the database where there are none; see ``Fault``.

    It dies with its process: the server ends a session whose client is gone.
    """

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is opened."""
        self._url = server_of(place).url
        self._watch = ProbeSession(self._watching)
        self._tables: list[str] = []
        self._held = ExitStack()
        self._holder: Cursor | None = None

    def preflight(self) -> None:
        """Find the tables."""
        database = database_of(self._url)
        found = self._watch.ask(lambda asked: _column(asked, _TABLES, database))
        ours = [name for name in found if name.startswith("perf_") and name.endswith("_results")]
        self._tables = [f"{_quoted(database)}.{_quoted(name)}" for name in ours or found]
        if not self._tables:
            raise FaultRefusedError(f"the database {database} has no table that could be locked")

    def state(self) -> State:
        """Return how many sessions of ours are on the server."""
        (count,) = self._watch.ask(lambda asked: _column(asked, _HELD, _MARK))
        return {"sessions that lock": count}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: the lock ends with its session."""
        return {}

    def inject(self) -> None:
        """Lock; waits for transactions that use the tables."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                self._lock()
            except NotAnsweringError as error:
                if _DEADLOCK not in str(error) or attempt == _ATTEMPTS:
                    raise
            else:
                return

    def sign(self) -> Sign:
        """Read the tables from another session, which does not wait for a lock."""
        if self._holder is not None:
            with suppress(MySQLError):
                self._holder.execute("DO 0")  # it is not silent
        try:
            refused, waiting = self._watch.ask(self._refused)
        except NotAnsweringError as error:
            return Sign(in_effect=False, value=0.0, text=f"the server did not answer: {error}")
        tried = len(self._tables[:_TRIED_TABLES])
        text = f"{refused} of {tried} tables refuse a client; {waiting} sessions wait for a lock"
        return Sign(in_effect=0 < tried == refused, value=float(waiting), text=text)

    def undo(self) -> None:
        """End the session, and the one that watches."""
        self._holder = None
        with suppress(NotAnsweringError):
            self._held.close()
        self._watch.close()

    def _lock(self) -> None:
        with ExitStack() as stack:
            opened = session(self._url, _ANSWER_S + _LOCK_WAIT_S, without_database=True)
            holder = stack.enter_context(opened)
            holder.execute(
                f"SET SESSION lock_wait_timeout = {_LOCK_WAIT_S}, wait_timeout = {_FUSE_S}"
            )
            holder.execute(f"USE {_MARK}")
            holder.execute("LOCK TABLES " + ", ".join(f"{name} WRITE" for name in self._tables))
            self._held, self._holder = stack.pop_all(), holder

    @contextmanager
    def _watching(self) -> Iterator[Cursor]:
        with session(self._url, _ANSWER_S) as cursor:
            try:
                cursor.execute("SET SESSION lock_wait_timeout = 0")
            except MySQLError:  # MySQL has a minimum of a second; the hint below ends it sooner
                cursor.execute("SET SESSION lock_wait_timeout = 1")
            yield cursor

    def _refused(self, asked: Cursor) -> tuple[int, int]:
        """Return how many tables refuse a client, and how many sessions wait for a lock."""
        refused = 0
        for name in self._tables[:_TRIED_TABLES]:
            try:
                asked.execute(f"SELECT /*+ MAX_EXECUTION_TIME(100) */ 1 FROM {name} LIMIT 1")  # noqa: S608 - quoted
                asked.fetchall()
            except MySQLError as error:
                if error.args[0] not in _REFUSALS:
                    raise
                refused += 1
        (waiting,) = _column(asked, _WAITING)
        return refused, int(waiting)


def _column(asked: Cursor, query: str, *values: str) -> list[str]:
    """Return the first column of an answer."""
    asked.execute(query, values)
    return [str(row[0]) for row in asked.fetchall()]


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
