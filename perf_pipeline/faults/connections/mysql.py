"""Connections to MySQL or MariaDB: sessions that stay idle."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pymysql

from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.servers.mysql.session import session
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.workload.sql_urls import mysql_arguments

if TYPE_CHECKING:
    from collections.abc import Callable

    from pymysql.cursors import Cursor

_MARK = "performance_schema"
"""The database that our sessions have entered: they are known by that, since the server need not
know the name of a program."""

_ANSWER_S = 2
_FULL = 1040
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
        """Open a session.

        Without TLS, unless the URL asks for it: PyMySQL reads the system's authorities anew for
        each connection that may use it.
        """
        given = mysql_arguments(self._url)
        tls = {} if "ssl" in given else {"ssl_disabled": True}
        arguments = {"charset": "utf8mb4", **given, **tls, "database": _MARK}
        try:
            return pymysql.connect(
                **arguments, connect_timeout=_ANSWER_S, read_timeout=_ANSWER_S
            ).close
        except pymysql.MySQLError as error:
            if error.args and error.args[0] == _FULL:
                raise LimitReachedError(str(error.args[-1])) from error
            raise NotAnsweringError(str(error)) from error
        except (OSError, RuntimeError) as error:
            raise NotAnsweringError(str(error)) from error

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
