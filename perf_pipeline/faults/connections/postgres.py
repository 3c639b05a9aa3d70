"""Connections to PostgreSQL: sessions that stay idle."""

from __future__ import annotations

import select
from functools import partial
from typing import TYPE_CHECKING

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import PGconn, PollingStatus

from perf_pipeline.faults.connections.opened import LimitReachedError
from perf_pipeline.servers.postgres.session import session
from perf_pipeline.servers.postgres.session_variables import without_session_variables
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg.pq.abc import PGconn as OpenedConnection

NAME = "perf_pipeline-connection"
_ANSWER_S = 2.0
_FULL = ("too many clients already", "remaining connection slots are reserved")
_CLIENTS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
_OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"


class PostgresConnections:
    """See ``Connections``. A superuser's also take what is reserved for superusers."""

    OPENERS = 16

    def __init__(self, url: str) -> None:
        """Prepare; nothing is opened."""
        self._url = url
        # Opened before the server is full, and kept.
        self._watch = ProbeSession(partial(session, url, _ANSWER_S))

    def limit(self) -> int:
        """Return ``max_connections``."""
        return self._number("SELECT current_setting('max_connections')::integer")

    def open(self) -> Callable[[], object]:
        """Open a session."""
        return connected(self._url, NAME).finish

    def total(self) -> int:
        """Count the sessions of clients."""
        return self._number(_CLIENTS)

    def ours(self) -> int:
        """Count the sessions with our name."""
        return self._number(_OURS, NAME)

    def stop_watching(self) -> None:
        """End the session that counts."""
        self._watch.close()

    def _number(self, query: str, *values: str) -> int:
        row = self._watch.ask(lambda asked: asked.execute(query.encode(), values).fetchone())
        return int(row[0]) if row else 0


def connected(url: str, name: str) -> OpenedConnection:
    """Open a session side by side with others: libpq's environment is only read at its begin.

    Args:
        url: The server.
        name: What the session is called on the server.

    Raises:
        LimitReachedError: The server has as many as it accepts.
        NotAnsweringError: It failed otherwise.
    """
    with without_session_variables():
        opened = PGconn.connect_start(make_conninfo(url, application_name=name).encode())
    try:
        _wait(opened)
    except (NotAnsweringError, LimitReachedError):
        opened.finish()
        raise
    return opened


def _wait(opened: OpenedConnection) -> None:
    """Wait until a session is open.

    Raises:
        LimitReachedError: The server has as many as it accepts.
        NotAnsweringError: It refused otherwise, or an answer did not come.
    """
    status = PollingStatus.WRITING
    while status is not PollingStatus.OK:
        if status is PollingStatus.FAILED:
            text = " ".join(opened.get_error_message().split())
            if any(words in text for words in _FULL):
                raise LimitReachedError(text)
            raise NotAnsweringError(text)
        waiting = select.poll()
        reading = status is PollingStatus.READING
        try:
            waiting.register(opened.socket, select.POLLIN if reading else select.POLLOUT)
            if not waiting.poll(1000 * _ANSWER_S):
                raise NotAnsweringError(f"no answer in {_ANSWER_S:g} s")
            status = PollingStatus(opened.connect_poll())
        except psycopg.Error as error:
            raise NotAnsweringError(str(error)) from error
