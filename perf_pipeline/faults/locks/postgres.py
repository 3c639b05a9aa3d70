"""PostgreSQL's tables locked by a transaction that is idle."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from perf_pipeline.faults.acting import wait_until_it_acts
from perf_pipeline.faults.arguments import server_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.locks.lock_holder import LOCK_WAIT_S, LockHolder
from perf_pipeline.servers.postgres.session import session
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.faults.fault import Place, State

NAME = "perf_pipeline-lock"
"""What the session that holds the lock is called on the server."""

_ANSWER_S = 2.0
_PASSING = ("deadlock", "lock timeout")

_FUSE_S = 10
"""The server ends the transaction itself when its client is silent for so long, alive or not."""

_TRIED_TABLES = 8

_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
    ORDER BY n.nspname ~ '^perf_' DESC, 1, 2"""
"""Those of runs first."""

_HELD = """
    SELECT count(DISTINCT a.pid), count(l.relation)
    FROM pg_stat_activity AS a LEFT JOIN pg_locks AS l
        ON l.pid = a.pid AND l.granted AND l.mode = 'AccessExclusiveLock'
    WHERE a.application_name = %s"""

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


class PostgresLock:
    """Locks the tables of runs, or all where there are none; see ``Fault``.

    It dies with its process: the server rolls back a transaction whose client is gone.
    """

    def __init__(self, place: Place) -> None:
        """Prepare; nothing is opened."""
        self._place = place
        self._url = server_of(place).url
        self._watch = ProbeSession(partial(session, self._url, _ANSWER_S))
        self._tables: list[tuple[str, str]] = []
        self._holder = LockHolder(self._take, _PASSING)

    def preflight(self) -> None:
        """Find the tables."""
        found = self._watch.ask(lambda asked: asked.execute(_TABLES).fetchall())
        ours = [one for one in found if str(one[0]).startswith("perf_")]
        self._tables = [(str(schema), str(name)) for schema, name in ours or found]
        if not self._tables:
            raise FaultRefusedError(
                "the database has no table that could be locked; create what workflows write to "
                "before the failure (a scenario's setup function can)"
            )

    def state(self) -> State:
        """Return which sessions and locks of ours are on the server."""
        row = self._watch.ask(lambda asked: asked.execute(_HELD, [NAME]).fetchone()) or (0, 0)
        return {"sessions that lock": str(row[0]), "tables that they locked": str(row[1])}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: the lock ends with its session."""
        return {}

    def inject(self) -> None:
        """Ask for the lock; behind transactions that use the tables, others wait for it as well."""
        self._holder.start()
        wait_until_it_acts(self, self._place)

    def sign(self) -> Sign:
        """Ask for the lock that a write takes, without waiting, from another session."""
        self._holder.touch()
        try:
            refused, waiting = self._watch.ask(self._refused)
        except NotAnsweringError as error:
            return Sign(in_effect=False, value=0.0, text=f"the server did not answer: {error}")
        tried = len(self._tables[:_TRIED_TABLES])
        text = f"{refused} of {tried} tables refuse a write; {waiting} sessions wait for a lock"
        return Sign(in_effect=0 < tried == refused, value=float(waiting), text=text)

    def undo(self) -> None:
        """End the transaction, and the session that watches."""
        self._holder.stop()
        self._watch.close()

    def _take(self) -> _IdleTransaction:
        names = sql.SQL(", ").join(sql.Identifier(*table) for table in self._tables)
        with ExitStack() as stack:
            opened = stack.enter_context(session(self._url, _ANSWER_S + LOCK_WAIT_S))
            for statement in (
                f"SET application_name = '{NAME}'",
                f"SET idle_in_transaction_session_timeout = '{_FUSE_S}s'",
                f"SET lock_timeout = '{LOCK_WAIT_S}s'",
                "BEGIN",
            ):
                opened.execute(statement.encode())
            opened.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(names))
            return _IdleTransaction(opened, stack.pop_all())

    def _refused(self, asked: psycopg.Connection) -> tuple[int, int]:
        """Return how many tables refuse a write, and how many sessions wait for a lock."""
        refused = 0
        for table in self._tables[:_TRIED_TABLES]:
            statement = sql.SQL("LOCK TABLE {} IN ROW EXCLUSIVE MODE NOWAIT")
            try:
                with asked.transaction():
                    asked.execute(statement.format(sql.Identifier(*table)))
            except psycopg.errors.LockNotAvailable:
                refused += 1
        row = asked.execute(_WAITING).fetchone()
        return refused, int(row[0]) if row else 0


class _IdleTransaction:
    """See ``LockSession``."""

    def __init__(self, opened: psycopg.Connection, stack: ExitStack) -> None:
        self._opened, self._stack = opened, stack

    def touch(self) -> None:
        with suppress(psycopg.Error):
            self._opened.execute("SELECT 1")

    def close(self) -> None:
        self._stack.close()
