"""A session with a PostgreSQL: for a few statements, whose errors become one type."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg

from perf_pipeline.servers.postgres.session_variables import without_session_variables
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg.abc import PQGen

_Result = TypeVar("_Result")

_POLL_S = 0.1
_CANCEL_S = 2.0


class _BoundedConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that waits for each answer only so long.

    The client keeps the time, not ``statement_timeout``: a server that is frozen keeps none, and
    behind a pooler a setting of the session would stay for whoever gets the session next.
    """

    limit_s = math.inf

    def wait(
        self, gen: PQGen[_Result], interval: float = _POLL_S, timeout: float | None = None
    ) -> _Result:
        """Wait for one answer; see ``psycopg.Connection``."""
        if timeout is None and math.isfinite(self.limit_s):
            timeout = self.limit_s
        try:
            return super().wait(gen, interval, timeout)
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - the only name that psycopg has for it
            limit_s, self.limit_s = self.limit_s, math.inf
            with suppress(psycopg.Error):
                self.cancel_safe(timeout=_CANCEL_S)
            self.close()
            raise psycopg.OperationalError(f"no answer in {limit_s:g} s") from None


@contextmanager
def session(
    url: str, timeout_s: float, *, options: str | None = None
) -> Iterator[psycopg.Connection]:
    """Connect for a few statements, each committed by itself and none longer than the timeout.

    Nothing of it stays on a connection that a pooler shares: no settings and, without
    ``prepare_threshold``, no prepared statements.

    Args:
        url: The server; what it does not name, libpq has its own defaults for, not the user's.
        timeout_s: For the connection and for each answer.
        options: Command-line options for the server's session, in place of the URL's; None for
            those.

    Raises:
        NotAnsweringError: Whatever goes wrong in the block between us and the server.
    """
    given: dict[str, Any] = {} if options is None else {"options": options}
    # libpq rounds timeouts below two seconds up to that.
    given["connect_timeout"] = math.ceil(timeout_s)
    try:
        with without_session_variables():
            connection = _BoundedConnection.connect(
                url, autocommit=True, prepare_threshold=None, **given
            )
        with connection:
            connection.limit_s = timeout_s
            yield connection
    except psycopg.Error as error:
        raise NotAnsweringError(" ".join(str(error).split())) from error
