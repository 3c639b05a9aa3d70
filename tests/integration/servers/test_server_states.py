"""Between levels each server is brought to the state that the sentence says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from pymongo.errors import DuplicateKeyError, WriteError
from redis import Redis

from perf_pipeline.servers.mongodb import data as mongodb_data
from perf_pipeline.servers.mongodb.session import session as mongodb_session
from perf_pipeline.servers.mysql import data as mysql_data
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.postgres import data as postgres_data
from perf_pipeline.servers.redis import data as redis_data
from perf_pipeline.servers.service import NotAnsweringError
from perf_pipeline.workload.dataset import MEASUREMENTS, RESULTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

NAME = "perf_settled"


@pytest.fixture
def url(servers: dict[str, Server]) -> Iterator[str]:
    """The URL of a PostgreSQL with a run's schema, seeded, and 40 rows of results."""
    url = servers["postgres"].url
    postgres_data.create(url, NAME, seed=1)
    with psycopg.connect(url) as connection:
        connection.execute(
            f"INSERT INTO {NAME}.{RESULTS} SELECT 'r', 0, generate_series(1, 40), 'x'".encode()
        )
    yield url
    postgres_data.drop(url, NAME)


def test_postgresql_has_empty_results_fresh_statistics_and_a_checkpoint(url: str) -> None:
    """The seeded rows stay; the checkpoint is the one that the server noted meanwhile."""
    before = checkpoint(url)
    said = postgres_data.settle(url, NAME)
    assert said == (
        "results truncated (40 rows), results and measurements analyzed, "
        "checkpoint written; its caches stay warm."
    )
    assert checkpoint(url) != before
    with psycopg.connect(url) as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {NAME}.{table}".encode()).fetchone()
            for table in (RESULTS, MEASUREMENTS)
        ]
    assert counts == [(0,), (6400,)]
    assert "truncated (0 rows)" in postgres_data.settle(url, NAME)


def test_a_user_of_postgresql_who_may_not_checkpoint_is_told_so(url: str) -> None:
    """The schema is the user's own; the rest of the sentence holds."""
    admin = psycopg.connect(url, autocommit=True)
    admin.execute("CREATE USER plain PASSWORD 'secret'")
    admin.execute(f"ALTER SCHEMA {NAME} OWNER TO plain".encode())
    for table in (RESULTS, MEASUREMENTS):
        admin.execute(f"ALTER TABLE {NAME}.{table} OWNER TO plain".encode())
    try:
        parts = urlsplit(url)
        theirs = f"plain:secret@{parts.hostname}:{parts.port}"
        said = postgres_data.settle(urlunsplit(parts._replace(netloc=theirs)), NAME)
        assert "truncated (40 rows)" in said
        assert "no checkpoint (the URL's user may not)" in said
    finally:
        admin.execute("DROP OWNED BY plain CASCADE; DROP USER plain")
        admin.close()


def test_mysql_has_an_empty_table_with_statistics(servers: dict[str, Server]) -> None:
    url = servers["mysql"].url
    mysql_data.create(url, NAME, seed=1)
    try:
        with mysql_session(url, 5.0) as cursor:
            rows = [("r", 0, number, "x") for number in range(30)]
            cursor.executemany(f"INSERT INTO {NAME} VALUES (%s, %s, %s, %s)", rows)
        before = analyzed(url)
        assert "results truncated (30 rows) and analyzed" in mysql_data.settle(url, NAME)
        assert analyzed(url) == before + 1
        with mysql_session(url, 5.0) as cursor:
            cursor.execute(f"SELECT count(*) FROM {NAME}")
            assert cursor.fetchone() == (0,)
    finally:
        mysql_data.drop(url, NAME)
    with pytest.raises(NotAnsweringError, match="doesn't exist"):
        mysql_data.settle(url, NAME)


def test_redis_has_none_of_the_run_s_keys(servers: dict[str, Server]) -> None:
    """Other keys are left alone."""
    url = servers["redis"].url
    with Redis.from_url(url) as client:
        client.mset({f"{NAME}:{number}": "x" for number in range(20)})
        client.set("theirs", "x")
        assert redis_data.settle(url, f"{NAME}:").startswith("20 keys of the run deleted")
        assert client.getdel("theirs") == b"x"
        assert client.keys(f"{NAME}:*") == []


def test_mongodb_has_an_empty_collection(servers: dict[str, Server]) -> None:
    """Whose index is still there: a second write of a workflow is refused as before."""
    url = servers["mongodb"].url
    mongodb_data.create(url, NAME, seed=1)
    with mongodb_session(url, 5.0) as client:
        collection = client.get_default_database()[NAME]
        collection.insert_many([{"run_id": "r", "level": 0, "number": n} for n in range(10)])
        assert "collection emptied (10 documents)" in mongodb_data.settle(url, NAME)
        assert collection.count_documents({}) == 0
        collection.insert_one({"run_id": "r", "level": 0, "number": 1})
        with pytest.raises((DuplicateKeyError, WriteError)):
            collection.insert_one({"run_id": "r", "level": 0, "number": 1})
    mongodb_data.drop(url, NAME)


def analyzed(url: str) -> int:
    """Return how many tables MySQL has been told to analyze."""
    with mysql_session(url, 5.0) as cursor:
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Com_analyze'")
        row = cursor.fetchone()
    assert row is not None
    return int(row[1])


def checkpoint(url: str) -> str:
    """Return where PostgreSQL's last checkpoint is in its log."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT checkpoint_lsn FROM pg_control_checkpoint()").fetchone()
    assert row is not None
    return str(row[0])
