"""MySQL's or MariaDB's tables locked by a session that is idle."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from pymysql import MySQLError

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import server_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.locks.lock_holder import LOCK_WAIT_S, LockHolder
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
_FUSE_S = 10
"""The server ends the session itself when its client is silent for so long, alive or not."""

_NO_WAIT_S = 0
_LOCK_WAIT_TIMEOUT = 1205
_PASSING = (f"(code {_LOCK_WAIT_TIMEOUT})", "(code 1213)")
"""The latter is a deadlock, which the server resolved at our cost."""

_TRIED_TABLES = 8

_TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = %s AND table_type = 'BASE TABLE' ORDER BY 1"""

_HELD = "SELECT count(*) FROM information_schema.processlist WHERE db = %s AND command = 'Sleep'"
_WAITING = "SELECT count(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for %%'"
_LOCKED = """
    SELECT count(DISTINCT object_name) FROM performance_schema.metadata_locks
    WHERE object_schema = %s AND object_name IN %s AND lock_type = 'SHARED_NO_READ_WRITE'"""
"""Tables that a session has locked with LOCK TABLES ... WRITE, or is the next to lock."""


class MysqlLock:
    """Locks the tables of runs, or all of the database where there are none; see ``Fault``.

    It dies with its process: the server ends a session whose client is gone.
    """

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is opened."""
        self._place = place
        self._url = server_of(place).url
        self._database = database_of(self._url)
        self._watch = ProbeSession(self._watching)
        self._can_try = True
        self._tables: list[str] = []
        self._holder = LockHolder(self._take, _PASSING)

    def preflight(self) -> None:
        """Find the tables."""
        found = self._watch.ask(lambda asked: _column(asked, _TABLES, self._database))
        ours = [name for name in found if name.startswith("perf_") and name.endswith("_results")]
        self._tables = ours or found
        if not self._tables:
            raise FaultRefusedError(
                f"the database {self._database} has no table to be locked; create what workflows "
                "write to before the failure (a scenario's setup function can)"
            )

    def state(self) -> State:
        """Return how many sessions of ours are on the server."""
        (count,) = self._watch.ask(lambda asked: _column(asked, _HELD, _MARK))
        return {"sessions that lock": count}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: the lock ends with its session."""
        return {}

    def inject(self) -> None:
        """Ask for the lock; behind transactions that use the tables, others wait for it as well."""
        self._holder.start()
        wait_until_it_acts(self, self._place)

    def sign(self) -> Sign:
        """Read the tables from another session, which does not wait for a lock.

        MySQL has every session wait for a second at least: it is asked for its locks instead.
        """
        self._holder.touch()
        tried = self._tables[:_TRIED_TABLES]
        try:
            count = self._watch.ask(lambda asked: self._locked(asked, tried))
            (waiting,) = self._watch.ask(lambda asked: _column(asked, _WAITING))
        except NotAnsweringError as error:
            return Sign(in_effect=False, value=0.0, text=f"the server did not answer: {error}")
        are = "refuse a client" if self._can_try else "are locked"
        text = f"{count} of {len(tried)} tables {are}; {waiting} sessions wait for a lock"
        return Sign(in_effect=0 < len(tried) == count, value=float(waiting), text=text)

    def undo(self) -> None:
        """End the session, and the one that watches."""
        self._holder.stop()
        self._watch.close()

    def _take(self) -> _IdleSession:
        names = ", ".join(f"{self._quoted(name)} WRITE" for name in self._tables)
        with ExitStack() as stack:
            opened = stack.enter_context(
                session(self._url, _ANSWER_S + LOCK_WAIT_S, without_database=True)
            )
            opened.execute(
                f"SET SESSION lock_wait_timeout = {LOCK_WAIT_S}, wait_timeout = {_FUSE_S}"
            )
            opened.execute(f"USE {_MARK}")
            opened.execute(f"LOCK TABLES {names}")
            return _IdleSession(opened, stack.pop_all())

    @contextmanager
    def _watching(self) -> Iterator[Cursor]:
        with session(self._url, _ANSWER_S) as asked:
            with suppress(MySQLError):  # MySQL has a minimum of a second
                asked.execute(f"SET SESSION lock_wait_timeout = {_NO_WAIT_S}")
            self._can_try = _column(asked, "SELECT @@SESSION.lock_wait_timeout") == ["0"]
            yield asked

    def _locked(self, asked: Cursor, names: list[str]) -> int:
        """Return how many of the tables are locked."""
        if not self._can_try:
            (count,) = _column(asked, _LOCKED, self._database, names)
            return int(count)
        refused = 0
        for name in names:
            try:
                asked.execute(f"SELECT 1 FROM {self._quoted(name)} LIMIT 1")  # noqa: S608 - quoted
                asked.fetchall()
            except MySQLError as error:
                if error.args[0] != _LOCK_WAIT_TIMEOUT:
                    raise
                refused += 1
        return refused

    def _quoted(self, name: str) -> str:
        return ".".join("`" + one.replace("`", "``") + "`" for one in (self._database, name))


class _IdleSession:
    """See ``LockSession``."""

    def __init__(self, opened: Cursor, stack: ExitStack) -> None:
        self._opened, self._stack = opened, stack

    def touch(self) -> None:
        with suppress(MySQLError):
            self._opened.execute("DO 0")

    def close(self) -> None:
        self._stack.close()


def _column(asked: Cursor, query: str, *values: str | list[str]) -> list[str]:
    """Return the first column of an answer."""
    asked.execute(query, values)
    return [str(row[0]) for row in asked.fetchall()]
