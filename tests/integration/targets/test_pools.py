"""The bounds of the pools, as the servers see them, and what is left when a target closes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.integration.targets.bench import (
    ANALYTICS,
    CACHE,
    PROCESSING,
    QUERY,
    WRITTEN,
    Bench,
    locked_measurements,
    locked_mysql,
    paused_redis,
    stopped,
    wait_until,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

POOLED = [
    pytest.param(*written, marks=[pytest.mark.slow] * (written == ("kailash", "code")))
    for written in WRITTEN
]
"""Code nodes have the pools of lean ones, and take more CPU time."""


@pytest.mark.parametrize(("target", "nodes"), POOLED)
def test_sixty_threads_never_open_more_than_five_connections_to_a_server(
    bench: Bench, target: str, nodes: str, servers: dict[str, Server]
) -> None:
    """Kinds that share servers, so that a pool for each would show; asked all the time.

    The servers answer too fast for all threads to want a connection at once, so each is held back
    in its turn until the bound is reached, and once more. MongoDB's client opens two connections
    at a time, and has one more than its pool, to watch the server.
    """
    bench.written(nodes)
    kinds = (CACHE, ANALYTICS, PROCESSING)
    work = [(kinds[n % 3], n) for n in range(130 if nodes == "code" else 1200)]
    driver = bench.start(target, work, threads=60)
    peaks: Counter[str] = Counter()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for server, count in bench.connections(driver).items():
                peaks[server] = max(peaks[server], count)

    watcher = threading.Thread(target=watch)
    watcher.start()
    bounds = {"postgres": 5, "redis": 5, "mysql": 5, "mongodb": 5}  # the one that watches included
    holds: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "redis": lambda: paused_redis(bench),
        "mysql": lambda: locked_mysql(bench),
        "mongodb": lambda: stopped(servers["mongodb"]),
    }
    try:
        with ThreadPoolExecutor(1) as pool:
            answering = pool.submit(driver.answer)
            for server, hold in holds.items():
                reached = False
                while not reached and not answering.done():
                    reached = peaks[server] >= bounds[server]
                    if peaks[server]:
                        with hold():
                            time.sleep(1)
                    time.sleep(0.02)
            answer = answering.result()
    finally:
        done.set()
        watcher.join()
    assert Counter(answer.classes()) == {"OK": len(work)}, answer.texts()[:2000]
    assert all(bounds[server] - 1 <= peak <= bounds[server] for server, peak in peaks.items()), (
        peaks
    )
    assert set(peaks) == set(bounds)


@pytest.mark.parametrize(("target", "nodes"), POOLED)
def test_a_closed_target_gives_back_descriptors_threads_and_connections(
    bench: Bench, target: str, nodes: str
) -> None:
    """Three rounds of 20 threads in one process: the second and third leave nothing behind."""
    bench.written(nodes)
    kinds = (ANALYTICS, PROCESSING)
    rounds = [[(kinds[n % 2], round_ * 100 + n) for n in range(40)] for round_ in range(3)]
    driver = bench.start(target, *rounds, threads=20)
    answer = driver.answer()
    assert set(answer.classes()) == {"OK"}
    assert answer.descriptors[1:] == answer.descriptors[:1] * 2
    assert answer.threads == [1, 1, 1]
    wait_until(lambda: not any(bench.connections(driver).values()))


@pytest.mark.parametrize(("target", "nodes"), POOLED)
def test_a_full_pool_and_a_slow_statement_have_their_own_classes(
    bench: Bench, target: str, nodes: str
) -> None:
    """One connection, which waits for a lock until the server ends it; a thread without one."""
    bench.written(nodes)
    bench.with_access(connections=1, connection_timeout_s=0.3)
    with locked_measurements(bench):
        work = [(QUERY, 1), (QUERY, 2)]
        answer = bench.start(target, work, threads=2, statement_timeout_ms=2000).answer()
    assert answer.classes() == ["RESOURCE_EXHAUSTION", "TIMEOUT"], answer.texts()


@pytest.mark.parametrize(("target", "nodes"), POOLED)
def test_a_full_mysql_pool_and_a_slow_insertion_have_their_own_classes(
    bench: Bench, target: str, nodes: str
) -> None:
    """As for PostgreSQL, but here the client stops waiting."""
    bench.written(nodes)
    bench.with_access(connections=1, connection_timeout_s=0.3)
    with locked_mysql(bench):
        work = [(PROCESSING, 1), (PROCESSING, 2)]
        answer = bench.start(target, work, threads=2, statement_timeout_ms=2000).answer()
    assert answer.classes() == ["RESOURCE_EXHAUSTION", "TIMEOUT"], answer.texts()


@pytest.mark.parametrize(("target", "nodes"), POOLED)
def test_a_full_mongodb_pool_and_a_silent_server_have_their_own_classes(
    bench: Bench, target: str, nodes: str, servers: dict[str, Server]
) -> None:
    """Two threads and one connection; the server is stopped while they use it."""
    bench.written(nodes)
    bench.with_access(connections=1, connection_timeout_s=0.3)
    work = [(ANALYTICS, n) for n in range({"kailash": 60, "control": 600}[target])]
    driver = bench.start(target, work, threads=2, statement_timeout_ms=1000)
    wait_until(lambda: driver.connections(bench.mongodb_port) == 2)
    with stopped(servers["mongodb"]):
        time.sleep(3)  # a command may wait for a second, on a busy machine longer
    classes = Counter(driver.answer().classes())
    assert classes.keys() == {"OK", "RESOURCE_EXHAUSTION", "TIMEOUT"}
    assert sum(classes.values()) == len(work)


@pytest.mark.parametrize(("target", "nodes"), POOLED)
def test_a_full_redis_pool_is_exhaustion(bench: Bench, target: str, nodes: str) -> None:
    """Six threads, two connections that the server lets wait, 0.2 s of patience."""
    bench.written(nodes)
    bench.with_access(connections=2, connection_timeout_s=0.2)
    with paused_redis(bench):
        driver = bench.start(target, [(CACHE, n) for n in range(6)], threads=6)
        wait_until(lambda: bench.connections(driver)["redis"] == 2)
        time.sleep(1)
    classes = Counter(driver.answer().classes())
    assert classes["RESOURCE_EXHAUSTION"] == 4
    assert sum(classes.values()) == 6
