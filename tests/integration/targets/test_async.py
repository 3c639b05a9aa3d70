"""The asynchronous targets on real servers: the same results, and what they execute at once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.target_spec import with_defaults
from perf_pipeline.targets.target import Kind
from tests.integration.targets.bench import (
    ANALYTICS,
    CACHE,
    KINDS,
    PROCESSING,
    QUERY,
    Bench,
    locked_measurements,
    wait_until,
)

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import SettingValue

pytestmark = pytest.mark.integration

LEAN = [("kailash_async", "lean"), ("control_async", "lean")]
WRITTEN = [("kailash_async", "code"), *LEAN]


def _prepare(bench: Bench, target: str, nodes: str, **settings: SettingValue) -> None:
    """Set up a target; code nodes get one thread, for with more some fail (see the adapter)."""
    if nodes == "code":
        settings["thread_pool_size"] = 1
    bench.job = replace(bench.job, nodes=nodes, settings=with_defaults(target, settings))


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_every_kind_gives_the_right_result_and_writes_what_it_says(
    bench: Bench, target: str, nodes: str
) -> None:
    """Three inputs a kind, eight tasks: every node's output is checked by the target."""
    _prepare(bench, target, nodes)
    work = [(kind, kind * 1000 + n) for n in range(3) for kind in range(len(KINDS))]
    answer = bench.start(target, work, threads=8).answer()

    assert Counter(answer.classes()) == {"OK": len(work)}, answer.texts()[:2000]
    numbers = [{number for kind, number in work if kind == wanted} for wanted in range(len(KINDS))]
    assert {server: set(by_number) for server, by_number in bench.found().items()} == {
        "postgres": numbers[ANALYTICS] | numbers[PROCESSING],
        "mysql": numbers[PROCESSING],
        "redis": numbers[CACHE] | numbers[ANALYTICS],
        "mongodb": numbers[ANALYTICS],
    }
    roots = {module.partition(".")[0] for module in answer.modules}
    assert not roots & {"dagster", "polars", "numpy", "pandas", "psutil", "psycopg"}
    assert ("kailash" in roots) == (target == "kailash_async")


@pytest.mark.parametrize(
    ("target", "nodes", "settings", "at_once", "executing"),
    [
        ("kailash_async", "lean", {"thread_pool_size": 3}, 3, 3),
        ("control_async", "lean", {}, 6, 5),
    ],
)
def test_of_forty_in_flight_as_many_execute_as_there_are_threads_and_the_rest_is_queued(
    bench: Bench,
    target: str,
    nodes: str,
    settings: dict[str, SettingValue],
    at_once: int,
    executing: int,
) -> None:
    """Five connections; PostgreSQL lets every query wait.

    A thread of the synchronous targets that found no connection would have given up after 0.3 s;
    tasks wait for a thread instead, each of which finds a connection.
    """
    _prepare(bench, target, nodes, **settings)
    bench.with_access(connection_timeout_s=0.3)
    with locked_measurements(bench):
        driver = bench.start(target, [(QUERY, n) for n in range(40)], threads=40)
        wait_until(lambda: bench.connections(driver)["postgres"] == min(executing, 5))
        time.sleep(0.5)
    answer = driver.answer()

    assert Counter(answer.classes()) == {"OK": 40}, answer.texts()[:2000]
    assert answer.executing[0][0] == at_once
    assert answer.executing[0][1] in {executing, at_once}


@pytest.mark.parametrize(("target", "nodes"), LEAN)
def test_a_closed_target_gives_back_descriptors_threads_and_connections(
    bench: Bench, target: str, nodes: str
) -> None:
    """Three rounds of 8 tasks in one process: the second and third leave nothing behind."""
    _prepare(bench, target, nodes)
    kinds = (ANALYTICS, PROCESSING)
    rounds = [[(kinds[n % 2], round_ * 100 + n) for n in range(8)] for round_ in range(3)]
    driver = bench.start(target, *rounds, threads=8)
    answer = driver.answer()

    assert set(answer.classes()) == {"OK"}, answer.texts()[:2000]
    assert answer.descriptors[1:] == answer.descriptors[:1] * 2
    assert answer.threads == [1, 1, 1]
    wait_until(lambda: not any(bench.connections(driver).values()))


def test_kailashs_own_limit_of_time_counts_its_queue_and_is_a_timeout(bench: Bench) -> None:
    """One thread, which waits for a lock for longer than the limit of 1 s: all eight run out."""
    _prepare(bench, "kailash_async", "lean", thread_pool_size=1, execution_timeout_s=1)
    with locked_measurements(bench):
        driver = bench.start("kailash_async", [(QUERY, n) for n in range(8)], threads=8)
        wait_until(lambda: bench.connections(driver)["postgres"] == 1)
        time.sleep(1.2)
    answer = driver.answer()

    assert answer.classes() == ["TIMEOUT"] * 8, answer.texts()[:2000]


@pytest.mark.parametrize(("target", "nodes"), LEAN)
def test_a_node_that_fails_is_an_error_of_its_class(bench: Bench, target: str, nodes: str) -> None:
    """The query, of a schema that is not there; behind it, or alone, other nodes."""
    _prepare(bench, target, nodes)
    bench.job = replace(
        bench.job, kinds=(Kind("analytics", "simple"), Kind("transformation", "simple"))
    )
    bench.with_name("postgres", "nowhere")
    answer = bench.start(target, [(0, 1), (1, 2), (0, 3)]).answer()

    assert answer.classes() == ["WORKFLOW_ERROR", "OK", "WORKFLOW_ERROR"]
    assert "nowhere" in answer.texts()
