"""A session with a PostgreSQL: for a few statements, whose errors become one type."""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def session(url: str, timeout_s: float) -> Iterator[psycopg.Connection]:
    """Connect for a few statements, each committed by itself and none longer than the timeout.

    Args:
        url: The server.
        timeout_s: For the connection and for each statement.

    Raises:
        NotAnsweringError: Whatever goes wrong in the block between us and the server.
    """
    try:
        # libpq rounds timeouts below two seconds up to that.
        with psycopg.connect(url, connect_timeout=math.ceil(timeout_s), autocommit=True) as asked:
            asked.execute(f"SET statement_timeout = {math.ceil(timeout_s * 1000)}".encode())
            yield asked
    except psycopg.Error as error:
        raise NotAnsweringError(str(error).strip()) from error
