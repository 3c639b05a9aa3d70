"""Workflows whose bottleneck is known, as functions of a user's own."""

from __future__ import annotations

import os
import time
from functools import cache
from mmap import mmap
from pathlib import Path
from typing import Any

APPLICATION = "perf_pipeline r1"
BLOCK = mmap(-1, 1 << 20)


def spin(_number: int) -> None:
    """Compute in Python for some milliseconds: the thread wants the interpreter all the time."""
    sum(i * i for i in range(40_000))


def sleep(_number: int) -> None:
    """Wait for something that nobody observes."""
    time.sleep(0.02)


def sleep_too(number: int) -> None:
    """As ``sleep``: a second share of the mix."""
    sleep(number)


def flush(number: int) -> None:
    """Write 1 MB and wait until it is on the disk, past the memory that files are kept in."""
    path = Path(os.environ["HOME"], f"{number % 64}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DIRECT | os.O_DSYNC)
    try:
        os.pwritev(descriptor, [BLOCK], 0)
    finally:
        os.close(descriptor)


def slow_query(_number: int) -> None:
    """Wait for a server that has nothing to do."""
    _query("SELECT pg_sleep(0.02)")


def heavy_query(_number: int) -> None:
    """Let the server compute."""
    _query("SELECT count(*) FROM generate_series(1, 50000)")


def locking_query(_number: int) -> None:
    """Hold a lock for 10 ms that every other workflow wants as well."""
    _query("SELECT pg_advisory_xact_lock(7)", "SELECT pg_sleep(0.01)")


def _query(*statements: str) -> None:
    from sqlalchemy import text  # noqa: PLC0415 of the target's environment, and not for all

    with _engine().begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


@cache
def _engine() -> Any:
    from sqlalchemy import create_engine  # noqa: PLC0415

    url = os.environ["PERF_PIPELINE_POSTGRES_URL"].partition("://")[2]
    return create_engine(
        f"postgresql+psycopg2://{url}",
        pool_size=int(os.environ["PERF_PIPELINE_CONNECTIONS"]),
        max_overflow=0,
        connect_args={"application_name": APPLICATION},
    )
