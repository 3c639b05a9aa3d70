"""The probe of MySQL or MariaDB: connections of a run, and the counters of its status."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pymysql import MySQLError

from perf_pipeline.servers.mysql.session import database_of, session
from perf_pipeline.servers.probe import PROBE_S, ProbeSession
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.servers.snapshot import ConnectionCounts, Counters, ServerSnapshot

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

_NOT_ALLOWED = (1044, 1045, 1142, 1143, 1227)
"""Access denied: to a database, to the server, to a table, to a column, for want of a privilege."""

_IDLE = "Sleep"
_LOCK_STATES = "Waiting for % lock"

_COUNTED = """
    SELECT count(*), coalesce(sum(p.command <> %s), 0),
        coalesce(sum(t.trx_state = 'LOCK WAIT' OR p.state LIKE %s), 0)
    FROM information_schema.processlist AS p
    LEFT JOIN information_schema.innodb_trx AS t ON t.trx_mysql_thread_id = p.id"""

_COUNTED_OF_OWN = """
    SELECT count(*), coalesce(sum(p.command <> %s), 0), coalesce(sum(p.state LIKE %s), 0)
    FROM information_schema.processlist AS p"""
"""Of the processes of one's own user, for whom InnoDB's transactions are hidden without PROCESS."""

_BY_NAME = """
    JOIN performance_schema.session_account_connect_attrs AS a ON a.processlist_id = p.id
    WHERE a.attr_name = 'program_name' AND a.attr_value = %s"""

_BY_DATABASE = """
    WHERE p.user = substring_index(user(), '@', 1) AND p.db = %s"""

_STATUS = "SHOW GLOBAL STATUS WHERE Variable_name IN %s"
_SESSIONS = "Threads_connected"
_NAMES = ("Bytes_sent", "Bytes_received", "Questions", "Innodb_data_read", _SESSIONS)

_STATEMENTS = """
    SELECT coalesce(sum(count_star), 0), coalesce(sum(sum_timer_wait), 0) / 1e12
    FROM performance_schema.events_statements_summary_global_by_event_name"""


class MysqlProbe:
    """Asks a MySQL or MariaDB; see ``Probe``.

    The server knows the name of the program behind a connection only while its performance schema
    is on, which is MySQL's default and not MariaDB's. Without it the connections of the URL's user
    in the URL's database are counted; this probe enters no database, so that it is not one of
    them, but another program of that user there would be.
    """

    def __init__(self, url: str, program_name: str) -> None:
        """Prepare; nothing is opened.

        Args:
            url: The server; its user is that of the workers, and must be allowed to see all
                processes and InnoDB's transactions (PROCESS).
            program_name: What workers give as the connection attribute ``program_name``.
        """
        self._name, self._database = program_name, database_of(url)
        self._session = ProbeSession(partial(session, url, PROBE_S, without_database=True))

    def ask(self) -> ServerSnapshot:
        """Ask, in three or four statements; see ``Probe``."""
        return self._session.ask(self._snapshot)

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _snapshot(self, cursor: Cursor) -> ServerSnapshot:
        unavailable: dict[str, str] = {}
        schema = bool(int(_row(cursor, "SELECT @@performance_schema")[0]))
        connections = self._connections(cursor, schema=schema, unavailable=unavailable)
        cursor.execute(_STATUS, [_NAMES])
        status = {str(name): int(value) for name, value in cursor.fetchall()}
        queries, query_time_s = status.get("Questions"), None
        source = "Questions of the status"
        timed = _row_if_allowed(cursor, _STATEMENTS) if schema else None
        if timed is not None:
            queries, query_time_s = int(timed[0]), float(timed[1])
            source = "statements of the performance schema"
        elif schema:
            unavailable["query_time_s"] = "the URL's user may not read performance_schema"
        else:
            unavailable["query_time_s"] = "no time is counted while performance_schema is off"
        counted = Counters(
            sent_bytes=status.get("Bytes_sent"),
            recv_bytes=status.get("Bytes_received"),
            queries=queries,
            query_time_s=query_time_s,
            storage_read_bytes=status.get("Innodb_data_read"),
            source=source,
        )
        for name in ("sent_bytes", "recv_bytes", "queries", "storage_read_bytes"):
            if getattr(counted, name) is None:
                unavailable[name] = "not in the server's status"
        sessions = status[_SESSIONS] - 1 if _SESSIONS in status else None
        return ServerSnapshot(connections, counted, unavailable, sessions=sessions)

    def _connections(
        self, cursor: Cursor, *, schema: bool, unavailable: dict[str, str]
    ) -> ConnectionCounts:
        kinds = []
        if schema:
            how = f"connections of programs named {self._name} (performance schema)"
            kinds.append((_BY_NAME, self._name, how))
        how = "connections of the URL's user in its database (their names are not known)"
        kinds.append((_BY_DATABASE, self._database, how))
        for of_whom, value, how in kinds:
            for counted in (_COUNTED, _COUNTED_OF_OWN):
                row = _row_if_allowed(cursor, counted + of_whom, _IDLE, _LOCK_STATES, value)
                if row is None:
                    continue
                total, active, waiting = (int(count) for count in row)
                if counted is _COUNTED:
                    return ConnectionCounts(total, active, total - active, waiting, how)
                unavailable["waiting"] = "the URL's user may not see InnoDB's locks (GRANT PROCESS)"
                return ConnectionCounts(total, active, total - active, None, how)
        raise NotAnsweringError("it shows no processes")


def _row_if_allowed(
    cursor: Cursor, query: str, *values: str
) -> tuple[str | int | float, ...] | None:
    """Return the one row of a query; None if this user may not ask it."""
    try:
        return _row(cursor, query, *values)
    except MySQLError as error:
        if error.args and error.args[0] in _NOT_ALLOWED:
            return None
        raise


def _row(cursor: Cursor, query: str, *values: str) -> tuple[str | int | float, ...]:
    cursor.execute(query, values or None)
    row = cursor.fetchone()
    if row is None:
        raise NotAnsweringError(f"no row came back from {query.split()[:3]}")
    return row
