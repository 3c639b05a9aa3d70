"""What a workflow ends with when a server refuses, vanishes or cuts it off."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.targets.bench import (
    ANALYTICS,
    CACHE,
    LEVEL,
    PROCESSING,
    QUERY,
    WRITTEN,
    Bench,
    locked_measurements,
    locked_mysql,
    mysql_session,
    wait_until,
)

pytestmark = pytest.mark.integration


REFUSED = {
    "postgres": (QUERY, "postgresql://postgres@127.0.0.1:1/postgres"),
    "redis": (CACHE, "redis://127.0.0.1:1/0"),
    "mysql": (PROCESSING, "mysql://root@127.0.0.1:1/perf"),
    "mongodb": (ANALYTICS, "mongodb://127.0.0.1:1/perf"),
}
"""Service to a kind that uses it, and a URL where nobody listens."""


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_refused_server_is_a_connection_error_also_at_a_last_node_where_kailash_raises_nothing(
    bench: Bench, target: str, nodes: str
) -> None:
    """One server after the other; all but PostgreSQL are written to by a last node."""
    bench.written(nodes)
    good, jobs = bench.job, []
    for service, (_, url) in REFUSED.items():
        bench.job = good
        bench.with_urls(**{service: url})
        jobs.append(bench.job)
    rounds = [[(kind, number)] for number, (kind, _) in enumerate(REFUSED.values())]
    answer = bench.start(target, *rounds, jobs=jobs, selection_timeout_s=1).answer()
    ended = dict(zip(REFUSED, answer.classes(), strict=True))
    assert ended == dict.fromkeys(REFUSED, "CONNECTION"), answer.texts()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_an_insertion_that_a_server_refuses_is_a_workflow_error(
    bench: Bench, target: str, nodes: str
) -> None:
    """The same workflow twice, or a write that is there already: its key is taken."""
    bench.written(nodes)
    run_id = bench.job.run_id
    with bench.mysql() as cursor:
        query = f"INSERT INTO {bench.mysql_table} VALUES (%s, %s, 3, '')"
        cursor.execute(query, (run_id, LEVEL))
    with bench.mongodb() as collection:
        collection.insert_one({"_id": f"{run_id}:{LEVEL}:2", "run_id": run_id})
    work = [(ANALYTICS, 1), (ANALYTICS, 1), (ANALYTICS, 2), (PROCESSING, 3)]
    answer = bench.start(target, work).answer()
    assert answer.classes() == ["OK", "WORKFLOW_ERROR", "WORKFLOW_ERROR", "WORKFLOW_ERROR"]
    postgres, mongodb, mysql = (outcome[3] for outcome in answer.outcomes[0][1:])
    assert "duplicate key value" in postgres
    assert "_id" in mongodb or "E11000" in mongodb
    assert "Duplicate entry" in mysql


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_killed_back_end_is_a_connection_error_and_the_next_workflow_is_ok(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.written(nodes)
    kill = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name = %s AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(bench.postgres, autocommit=True) as connection:
        with locked_measurements(bench):
            driver = bench.start(target, [(QUERY, 1), (QUERY, 2)])
            wait_until(lambda: connection.execute(kill, (bench.name,)).fetchone() == (1,))
        answer = driver.answer()
    assert answer.classes() == ["CONNECTION", "OK"], answer.texts()


@pytest.mark.parametrize(("target", "nodes"), WRITTEN)
def test_a_killed_mysql_connection_is_a_connection_error_and_the_next_workflow_is_ok(
    bench: Bench, target: str, nodes: str
) -> None:
    bench.written(nodes)
    waiting = (
        "SELECT id FROM information_schema.processlist "
        "WHERE db = %s AND state LIKE 'Waiting for table metadata lock%%'"
    )
    with mysql_session(bench.mysql_url, inside=False) as cursor:
        with locked_mysql(bench):
            driver = bench.start(target, [(PROCESSING, 1), (PROCESSING, 2)])
            wait_until(lambda: cursor.execute(waiting, (bench.mysql_database,)) == 1)
            (connection,) = cursor.fetchone() or ()
            cursor.execute("KILL %s", (connection,))
        answer = driver.answer()
    assert answer.classes() == ["CONNECTION", "OK"], answer.texts()
