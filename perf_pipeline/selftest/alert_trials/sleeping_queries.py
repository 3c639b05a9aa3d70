"""A target all of whose connections execute something: each workflow is a query that sleeps.

Imported in the target's process, whose interpreter has psycopg.
"""

from __future__ import annotations

import os
import threading

import psycopg

QUERY_S = 2.0
_own = threading.local()


def query(_number: int) -> None:
    """Sleep in PostgreSQL, on the thread's own connection."""
    found: psycopg.Connection | None = getattr(_own, "connection", None)
    if found is None:
        url = os.environ["PERF_PIPELINE_POSTGRES_URL"]
        found = _own.connection = psycopg.connect(url, autocommit=True)
    found.execute("SELECT pg_sleep(%s)", (QUERY_S,))
