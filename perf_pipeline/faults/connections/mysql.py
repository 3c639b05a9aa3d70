"""Connections to MySQL or MariaDB: sessions that stay idle."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.servers.mysql.session import session
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymysql.cursors import Cursor

_MARK = "performance_schema"
"""The database that our sessions have entered: they are known by that, since the server need not
know the name of a program."""

_ANSWER_S = 2.0
_FULL = "(code 1040)"
_FOR_ADMINISTRATORS = 1
"""One more than its limit for those with the privilege SUPER or CONNECTION ADMIN."""


class MysqlConnections:
    """See ``Connections``."""

    OPENERS = 16

    def __init__(self, url: str) -> None:
        """Prepare; nothing is opened."""
        self._url = url
        # Opened before the server is full, and kept.
        self._watch = ProbeSession(partial(session, url, _ANSWER_S, without_database=True))

    def limit(self) -> int:
        """Return ``max_connections``, and the one for administrators."""
        return self._number("SELECT @@max_connections") + _FOR_ADMINISTRATORS

    def open(self) -> Callable[[], object]:
        """Open a session."""
        try:
            with ExitStack() as stack:
                opened = stack.enter_context(session(self._url, _ANSWER_S, without_database=True))
                opened.execute(f"USE {_MARK}")
                return stack.pop_all().close
        except NotAnsweringError as error:
            if _FULL in str(error):
                raise LimitReachedError(str(error)) from error
            raise

    def total(self) -> int:
        """Return ``Threads_connected``."""
        return self._number("SHOW GLOBAL STATUS LIKE 'Threads_connected'")

    def ours(self) -> int:
        """Count the sessions that have entered our database."""
        return self._number(
            f"SELECT count(*) FROM information_schema.processlist WHERE db = '{_MARK}'"  # noqa: S608 - ours
        )

    def stop_watching(self) -> None:
        """End the session that counts."""
        self._watch.close()

    def _number(self, query: str) -> int:
        """Return the last value of the one row of an answer."""

        def ask(cursor: Cursor) -> int:
            cursor.execute(query)
            row = cursor.fetchone()
            return int(row[-1]) if row else 0

        return self._watch.ask(ask)
