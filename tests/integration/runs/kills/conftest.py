"""SIGKILL at random moments loses no acknowledged record and counts nothing twice.

What is read back after a kill is compared with two witnesses: the blocks that were in the journals
right before, and what PostgreSQL noted of every row that it committed. PostgreSQL runs with fsync
and synchronous_commit on, its defaults, so that what it answered is on the disk whoever is killed.

The choices are drawn from a seed that is in the output of a failed test: set KILL_SEED to it.
"""

from __future__ import annotations

import os
import random
import secrets
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from perf_pipeline.servers.lifecycle.services import ServiceSession
from tests.integration.conftest import settings_in
from tests.integration.runs.kills.witness import watch_commits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings


@pytest.fixture
def rng() -> random.Random:
    """Draws every moment and victim; says how to draw the same again."""
    seed = int(os.environ.get("KILL_SEED") or secrets.randbits(32))
    sys.stdout.write(f"replay with KILL_SEED={seed}\n")
    return random.Random(seed)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceSession]:
    """A PostgreSQL and a Redis that outlive the runs, so that they can be asked afterwards."""
    folder = tmp_path_factory.mktemp("lasting")
    with ServiceSession(settings_in(folder), ["postgres", "redis"]) as lasting:
        facts = lasting.servers["postgres"].facts.settings
        assert facts["fsync"] == facts["synchronous_commit"] == "on"
        watch_commits(lasting.servers["postgres"].url)
        yield lasting


@pytest.fixture
def lasting(settings: Settings, session: ServiceSession) -> Settings:
    """Settings of runs whose servers are given by URL; there is no MongoDB."""
    urls = {name: one.url for name, one in session.servers.items()}
    cache_dir = current_settings().cache_dir
    return replace(settings, urls=urls, cache_dir=cache_dir, mongodb_stand_in=None)
