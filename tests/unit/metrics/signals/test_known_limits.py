"""The limits of signals are those of the kernel and of the servers that answer."""

from __future__ import annotations

import os
import resource

import psutil

from perf_pipeline.metrics.signals.known_limits import known_limits, server_limits
from perf_pipeline.servers.server import Facts, Server


def server(service: str, limit: int | None, **settings: str) -> Server:
    return Server(service, f"{service}://x", "machine", Facts("Shop", "1", settings, limit))


def test_memory_files_and_threads_have_the_limits_of_the_kernel() -> None:
    """Two processes may have twice the files of one."""
    found = known_limits([os.getpid()], []).limits
    twice = known_limits([os.getpid()] * 2, []).limits
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft != resource.RLIM_INFINITY:
        assert found["target.open_files"].value == soft
        assert twice["target.open_files"].value == 2 * soft
    assert 0 < found["target.uss_bytes"].value <= psutil.virtual_memory().total
    assert found["target.rss_bytes"] == found["target.uss_bytes"]
    assert found["target.threads"].value > psutil.Process().num_threads()


def test_sessions_have_the_limit_of_their_server_and_redis_that_of_its_memory() -> None:
    servers = [
        server("postgres", 100),
        server("redis", 4000, maxmemory="2000000"),
        server("mongodb", None),
    ]
    found = {name: (one.value, one.source) for name, one in server_limits(servers).items()}
    assert found == {
        "postgres.sessions": (100.0, "max_connections of Shop"),
        "redis.sessions": (4000.0, "maxclients of Shop"),
        "redis.used_memory_bytes": (2e6, "maxmemory of Shop"),
    }
    assert server_limits([server("redis", None, maxmemory="0")]) == {}
