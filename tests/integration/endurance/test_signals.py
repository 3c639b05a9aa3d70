"""Signals of real servers move by what is opened and stored there, and come back."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg
import pytest
from pymongo import MongoClient
from redis import Redis

from perf_pipeline.loadgen.run_data import RunData
from perf_pipeline.metrics.signals.signal_sampler import SignalSampler
from perf_pipeline.servers.mysql.session import session as mysql_session
from tests.sandbox import until

if TYPE_CHECKING:
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

RUN = "2026-11-24T05-30-12Z-4f2c"
SESSIONS = 5
STORED_BYTES = 5_000_000


def _signals(servers: dict[str, Server]) -> SignalSampler:
    watched = {name: RunData(server, RUN).watched() for name, server in servers.items()}
    return SignalSampler({}, watched)


def test_sessions_that_nobody_names_are_counted_on_each_server(
    servers: dict[str, Server],
) -> None:
    """Five connections to each, as a user's own function opens them, and as it leaves them open."""
    names = [f"{name}.sessions" for name in servers]
    with _signals(servers) as signals, ExitStack() as stack:
        before = signals.sample()
        for _ in range(SESSIONS):
            stack.enter_context(psycopg.connect(servers["postgres"].url))
            stack.enter_context(mysql_session(servers["mysql"].url, 10.0))
            stack.enter_context(Redis.from_url(servers["redis"].url)).ping()
            stack.enter_context(MongoClient(servers["mongodb"].url)).admin.command("ping")
        opened = signals.sample()
        stack.close()
        assert until(lambda: all(signals.sample()[name] == before[name] for name in names))
    grown = {name: opened[name] - before[name] for name in names}
    # A client of MongoDB has connections beside the one for its commands, by which it watches.
    assert grown.pop("mongodb.sessions") >= SESSIONS
    assert set(grown.values()) == {SESSIONS}


def test_memory_of_redis_and_mongodb_is_measured(servers: dict[str, Server]) -> None:
    """5 MB that are stored in Redis are 5 MB more, until they are removed."""
    with _signals(servers) as signals, Redis.from_url(servers["redis"].url) as client:
        before = signals.sample()
        client.setrange("signals", STORED_BYTES - 1, "x")  # nothing large is sent
        stored = signals.sample()
        client.delete("signals")
        removed = signals.sample()
    grown = stored["redis.used_memory_bytes"] - before["redis.used_memory_bytes"]
    assert STORED_BYTES <= grown < 1.5 * STORED_BYTES
    assert removed["redis.used_memory_bytes"] < before["redis.used_memory_bytes"] + 500_000
    assert before["redis.pss_bytes"] > 1e6
    assert before["mongodb.pss_bytes"] > 1e6  # its stand-in may not report its memory itself
    assert set(signals.missing().missing) <= {"mongodb.resident_bytes"}
