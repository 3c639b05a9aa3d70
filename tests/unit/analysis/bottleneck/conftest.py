"""A level in which nothing is used up, to be changed by each test."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.bottleneck.use import LevelUse, ServerUse
from tests.unit.analysis.bottleneck.host import host, others_of

if TYPE_CHECKING:
    from collections.abc import Callable

POSTGRES = ServerUse(
    name="postgres",
    cores=0.2,
    busiest_cores=0.05,
    io_mb_per_s=0.1,
    connections=4.0,
    limit=8,
    active=1.0,
    waiting=0.0,
    executing=1.0,
    executing_by="query time",
)
IDLE = LevelUse(
    wanted=20,
    slots=None,
    in_flight=20.0,
    waits={"runtime": 0.9, "postgres": 0.1},
    wait_samples=200,
    at_once=None,
    workers=2,
    worker_cores=(0.2, 0.2),
    waiting_for_core=0.01,
    waiting_for_disk=None,
    worker_io_mb_per_s=0.2,
    harness_cores=0.05,
    host=host(4, idle=3.2, iowait=0.1),
    others_cores=0.05,
    servers=(POSTGRES,),
    cpu_limit_cores=None,
)
"""4 cores, 2 workers, 20 in flight, PostgreSQL with a pool of 8; all of them nearly idle."""


def _level(*, server: dict[str, Any] | None = None, **changes: Any) -> LevelUse:
    servers = (replace(POSTGRES, **(server or {})),)
    level = replace(IDLE, **{"servers": servers, **changes})
    return level if "others_cores" in changes else replace(level, others_cores=others_of(level))


@pytest.fixture
def level() -> Callable[..., LevelUse]:
    """A function that returns the idle level with some values changed.

    ``server`` changes PostgreSQL; the rest is the level's.
    """
    return _level
