"""Every setting of the kailash target makes the difference that it is there for."""

from __future__ import annotations

import os
import time

import psycopg
import pytest

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from tests.integration.targets.bench import QUERY, Bench, locked_measurements, wait_until

pytestmark = pytest.mark.integration

TRANSFORMATION = 0
KILLS = 4


@pytest.mark.parametrize("monitoring", [False, True])
def test_monitoring_keeps_a_record_of_each_workflow_in_the_home_folder(
    bench: Bench,
    monitoring: bool,  # noqa: FBT001
) -> None:
    bench.setting(enable_monitoring=monitoring)
    answer = bench.start("kailash", [(TRANSFORMATION, n) for n in range(5)]).answer()

    assert set(answer.classes()) == {"OK"}
    assert (bench.home / ".kailash" / "tracking" / "tracking.db").exists() is monitoring


@pytest.mark.slow
def test_above_its_strict_memory_limit_kailash_starts_no_workflow(bench: Bench) -> None:
    """No process that has imported kailash fits into 10 MB; every one fits into 4 GB."""
    bench.python = make_environment(
        parse_target("kailash+psutil"),
        cache_dir=current_settings().cache_dir,
        environ=os.environ,
        uv=find_uv(os.environ),
    ).python
    bench.setting(strict_memory_limit_mb=10)
    refused = bench.start("kailash", [(TRANSFORMATION, n) for n in range(3)]).answer()
    bench.setting(strict_memory_limit_mb=4000)
    allowed = bench.start("kailash", [(TRANSFORMATION, n) for n in range(3)]).answer()

    assert set(refused.classes()) == {"RESOURCE_EXHAUSTION"}, refused.texts()
    assert set(allowed.classes()) == {"OK"}, allowed.texts()


def test_without_psutil_the_memory_limit_is_refused_before_any_workflow(bench: Bench) -> None:
    bench.setting(strict_memory_limit_mb=10)
    said = bench.start("kailash", [(TRANSFORMATION, 1)]).end()

    assert "psutil is not installed beside kailash" in said.replace("\n", " ")
    assert "take the target kailash+psutil" in said


def _errors_after_kills(bench: Bench, *, pre_ping: bool) -> int:
    """Count failures of workflows that find their pooled connection killed by the server."""
    bench.written("code")
    bench.setting(pool_pre_ping=pre_ping)
    driver = bench.start("kailash", [(QUERY, n) for n in range(150)])
    with psycopg.connect(bench.postgres, autocommit=True) as connection:
        for _ in range(KILLS):
            _kill_one(connection, bench)
    return sum(outcome != "OK" for outcome in driver.answer().classes())


def _kill_one(connection: psycopg.Connection, bench: Bench) -> None:
    """End the driver's one connection while it is idle, and see it gone."""
    idle = "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND state = 'idle'"
    pids: list[int] = []

    def there_is_one() -> bool:
        pids[:] = [pid for (pid,) in connection.execute(idle, (bench.name,))]
        return bool(pids)

    wait_until(there_is_one)
    connection.execute("SELECT pg_terminate_backend(%s)", pids[:1])
    alive = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
    wait_until(lambda: connection.execute(alive, pids[:1]).fetchone() is None)


@pytest.mark.alone
@pytest.mark.slow
def test_a_pool_that_tries_its_connections_hands_out_no_dead_ones(bench: Bench) -> None:
    """Connections are killed under one thread; without the trial each kill costs a workflow.

    A connection that is killed after the trial, or in the middle of a workflow, costs one either
    way, and how often that is depends on what else the machine does; hence no zero.
    """
    tried, untried = (_errors_after_kills(bench, pre_ping=ping) for ping in (True, False))

    assert untried >= KILLS - 1
    assert tried <= 1


@pytest.mark.slow
@pytest.mark.parametrize(("recycle_s", "replaced"), [(1, True), (3600, False)])
def test_a_pool_replaces_a_connection_that_is_older_than_wanted(
    bench: Bench,
    recycle_s: int,
    replaced: bool,  # noqa: FBT001
) -> None:
    """One thread, whose query waits for a lock for 1.5 s; then whoever waits for another lock."""
    bench.written("code")
    bench.setting(pool_recycle_s=recycle_s)
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND wait_event_type = 'Lock'"
    )
    pids: list[int] = []
    with psycopg.connect(bench.postgres, autocommit=True) as connection:

        def one_waits() -> bool:
            row = connection.execute(waiting, (bench.name,)).fetchone()
            pids.extend(row or ())
            return row is not None

        with locked_measurements(bench):
            driver = bench.start("kailash", [(QUERY, n) for n in range(100)])
            wait_until(one_waits)
            time.sleep(1.5)
        wait_until(lambda: not connection.execute(waiting, (bench.name,)).fetchone())
        with locked_measurements(bench):
            wait_until(one_waits)
    answer = driver.answer()

    assert set(answer.classes()) == {"OK"}, answer.texts()[:2000]
    assert (pids[1] != pids[0]) is replaced


def test_what_kailash_logs_is_seen_only_when_asked_for(bench: Bench) -> None:
    """A pool with options makes it log a warning each time."""
    bench.written("code")
    quiet = bench.start("kailash", [(QUERY, 1)])
    quiet.answer()
    bench.job = bench.in_detail()
    loud = bench.start("kailash", [(QUERY, 2)])
    loud.answer()

    assert "kailash" not in quiet.end()
    assert " WARNING kailash" in loud.end()
