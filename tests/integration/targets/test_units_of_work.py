"""Units of work over four real servers: what they write, and which connections they keep.

MongoDB is played by whatever the fixture ``servers`` found; see there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.targets.target import Kind
from perf_pipeline.workload import database
from perf_pipeline.workload.task import bucket_of, data_seed_of
from tests.integration.targets.bench import SEED, WRITTEN, wait_until

if TYPE_CHECKING:
    from tests.integration.targets.bench import Bench

pytestmark = pytest.mark.integration

COMPLEX = (Kind("database", "complex"),)


@pytest.mark.parametrize(("target", "nodes"), [*WRITTEN, ("control_async", "lean")])
def test_a_unit_of_work_writes_the_same_order_to_every_server(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.written(nodes)
    bench.job = replace(bench.job, kinds=COMPLEX)
    answer = bench.start(target, [(0, number) for number in range(20)], threads=4).answer()
    assert answer.classes() == ["OK"] * 20, answer.texts()

    found = bench.found()
    for server in ("postgres", "mysql"):
        for number, payload in found[server].items():
            assert payload == database.payload(data_seed_of(SEED, bucket_of(number)))
    assert found["mongodb"][7]["payload"] == found["postgres"][7]
    servers = ("postgres", "mysql", "redis", "mongodb")
    assert {server: sorted(found[server]) for server in servers} == {
        server: list(range(20)) for server in servers
    }


def test_workflows_that_think_in_a_transaction_fill_the_pools_of_all_servers(bench: Bench) -> None:
    """6 threads on 3 connections, and a think time of 0.4 s.

    3 connections are open on each SQL server and on Redis; the other threads wait, and end well.
    """
    bench.job = replace(bench.job, kinds=COMPLEX)
    bench.with_access(connections=3, connection_timeout_s=10.0, transaction_think_time_s=0.4)
    driver = bench.start("control", [(0, number) for number in range(24)], threads=6)
    three = {"postgres": 3, "mysql": 3, "redis": 3}
    wait_until(lambda: {**bench.connections(driver), **three} == bench.connections(driver))
    answer = driver.answer()
    assert answer.classes() == ["OK"] * 24, answer.texts()


def test_a_workflow_that_waits_too_long_for_a_connection_fails_for_an_exhausted_resource(
    bench: Bench,
) -> None:
    bench.job = replace(bench.job, kinds=COMPLEX)
    bench.with_access(connections=1, connection_timeout_s=0.2, transaction_think_time_s=1.0)
    driver = bench.start("control", [(0, number) for number in range(3)], threads=3)
    assert sorted(driver.answer().classes()) == ["OK", "RESOURCE_EXHAUSTION", "RESOURCE_EXHAUSTION"]
