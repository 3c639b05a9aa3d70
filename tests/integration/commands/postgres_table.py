"""A table of a test's own on a PostgreSQL that it did not start."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def table(url: str, name: str, columns: str) -> Iterator[None]:
    """Have a table for the block; one that is called ``MARKER`` lets the server be faulted."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE TABLE {name} ({columns})".encode())
        try:
            yield
        finally:
            connection.execute(f"DROP TABLE {name}".encode())
