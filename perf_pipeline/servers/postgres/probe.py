"""The probe of PostgreSQL: sessions of a run by name, and the counters of its database."""

from __future__ import annotations

import select
import time
from functools import partial
from typing import TYPE_CHECKING

import psycopg

from perf_pipeline.servers.postgres.session import session
from perf_pipeline.servers.probe import PROBE_S, ProbeSession
from perf_pipeline.servers.snapshot import ConnectionCounts, Counters, ServerSnapshot

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn

_NAME_BYTES = 63
"""PostgreSQL cuts longer names, those of applications too."""

_ACTIVE_TIME_SINCE = 140_000
_STATEMENTS_SINCE = 130_000

_HAS_STATEMENTS = b"""
    SELECT count(*) FROM pg_extension, pg_settings
    WHERE extname = 'pg_stat_statements'
        AND name = 'shared_preload_libraries' AND setting LIKE '%pg_stat_statements%'"""
"""pg_settings leaves out what is hidden from the user; asking for that by name would fail."""

ALL_SESSIONS = """
    SELECT count(*) AS sessions FROM pg_stat_activity WHERE pid <> pg_backend_pid()
        AND coalesce(backend_type = 'client backend', datid IS NOT NULL AND usesysid IS NOT NULL)"""
"""Of other users' sessions it tells a user without pg_read_all_stats no type."""

_SESSIONS = """
    SELECT count(*) AS total,
        count(*) FILTER (WHERE state = 'active') AS active,
        count(*) FILTER (WHERE wait_event_type = 'Lock') AS waiting
    FROM pg_stat_activity WHERE application_name = $1"""

_DATABASE = """
    SELECT xact_commit + xact_rollback AS queries,
        {active_time} AS query_time_s,
        blks_read * current_setting('block_size')::bigint AS storage_read_bytes
    FROM pg_stat_database WHERE datname = current_database()"""

_STATEMENTS = """
    SELECT coalesce(sum(calls), 0)::bigint AS queries,
        coalesce(sum(total_exec_time), 0) / 1000 AS query_time_s
    FROM pg_stat_statements(false)
    WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"""

_NO_BYTES = "PostgreSQL does not count the bytes that it sends and receives"


class PostgresProbe:
    """Asks a PostgreSQL; see ``Probe``.

    The server shows the names of its own user's sessions, so the URL's user must be theirs.
    Sessions bring what they counted to the server's books about once a second, at the end of a
    transaction.
    """

    def __init__(self, url: str, application_name: str) -> None:
        """Prepare; nothing is opened.

        Args:
            url: The server.
            application_name: What the run's connections are called.
        """
        self._name = application_name.encode()[:_NAME_BYTES].decode(errors="ignore").encode()
        self._session = ProbeSession(partial(session, url, PROBE_S))
        self._asked_of: psycopg.Connection | None = None
        self._query, self._source = b"", ""

    def ask(self) -> ServerSnapshot:
        """Ask, in one statement; see ``Probe``."""
        return self._session.ask(self._snapshot)

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def _snapshot(self, connection: psycopg.Connection) -> ServerSnapshot:
        if connection is not self._asked_of:
            self._query, self._source = _question(connection)
            self._asked_of = connection
        row = _row(connection, self._query, [self._name])
        total, active, waiting, queries, query_time_s, read_bytes, everybody = row
        how = f"sessions named {self._name.decode()} in pg_stat_activity"
        counted = Counters(
            sent_bytes=None,
            recv_bytes=None,
            queries=int(queries or 0),
            query_time_s=None if query_time_s is None else float(query_time_s),
            storage_read_bytes=int(read_bytes or 0),
            source=self._source,
        )
        unavailable = dict.fromkeys(("sent_bytes", "recv_bytes"), _NO_BYTES)
        if query_time_s is None:
            unavailable["query_time_s"] = "PostgreSQL before 14 counts no time in queries"
        sessions = [int(count or 0) for count in (total, active, waiting)]
        idle = sessions[0] - sessions[1]
        return ServerSnapshot(
            ConnectionCounts(sessions[0], sessions[1], idle, sessions[2], how),
            counted,
            unavailable,
            sessions=int(everybody or 0),
        )


def _question(connection: psycopg.Connection) -> tuple[bytes, str]:
    """Return what to ask this server, and the name of what it counts queries by."""
    version = connection.info.server_version
    statements = version >= _STATEMENTS_SINCE and _row(connection, _HAS_STATEMENTS, [])[0] != b"0"
    timed = version >= _ACTIVE_TIME_SINCE
    database = _DATABASE.format(active_time="active_time / 1000" if timed else "NULL")
    if statements:
        counted, source = _STATEMENTS, "statements of pg_stat_statements"
    else:
        counted = database
        source = "transactions and active_time of pg_stat_database"
    query = f"""
        SELECT s.total, s.active, s.waiting, q.queries, q.query_time_s, d.storage_read_bytes,
            a.sessions
        FROM ({_SESSIONS}) AS s, ({counted}) AS q, ({database}) AS d,
            ({ALL_SESSIONS}) AS a"""  # noqa: S608 - constants
    return query.encode(), source


def _row(connection: psycopg.Connection, query: bytes, values: list[bytes]) -> list[bytes | None]:
    """Return the one row of a query, as text, within ``PROBE_S``.

    psycopg itself waits without an end for a server that is frozen.

    Raises:
        psycopg.OperationalError: It did not come; the connection is closed then, since its end
            would otherwise wait as well.
    """
    asked = connection.pgconn
    asked.send_query_params(query, values)
    if not _arrived(asked):
        connection.close()
        raise psycopg.OperationalError(f"no answer in {PROBE_S:.0f} s")
    result = asked.get_result()
    if result is None or result.status != psycopg.pq.ExecStatus.TUPLES_OK or result.ntuples != 1:
        message = asked.get_error_message().strip()
        connection.close()
        raise psycopg.OperationalError(message or "no row came back")
    asked.get_result()  # there is no second one; asking for it makes the connection idle
    return [result.get_value(0, column) for column in range(result.nfields)]


def _arrived(asked: PGconn) -> bool:
    deadline = time.monotonic() + PROBE_S
    waiting = select.poll()
    waiting.register(asked.socket, select.POLLIN)
    while asked.is_busy():
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not waiting.poll(left_s * 1000):
            return False
        asked.consume_input()
    return True
