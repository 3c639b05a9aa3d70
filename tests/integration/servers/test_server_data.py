"""What a run keeps on a server is found again, counted, and removed without a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from redis import Redis

from perf_pipeline.servers.postgres import data as postgres_data
from perf_pipeline.servers.postgres.probe import PostgresProbe
from perf_pipeline.servers.redis import data as redis_data
from perf_pipeline.servers.redis.probe import RedisProbe
from perf_pipeline.servers.service import NotAnsweringError
from tests.integration.runs.connection_counts import counted, total_and_active
from tests.integration.runs.traces import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

SCHEMA = 'a schema; with "quotes" and 100 %s'
QUOTED = '"' + SCHEMA.replace('"', '""') + '"'
DDL = [
    f"CREATE TABLE {QUOTED}.seeded (number int, label text)",
    f"CREATE TABLE {QUOTED}.results (run_id text, level int, number bigint)",
]
ROWS = [(number, f"tab\tnewline\n{number} \\N %") for number in range(5000)]


@pytest.fixture
def seeded(servers: dict[str, Server]) -> Iterator[str]:
    """The URL of a PostgreSQL with the run's schema, which is dropped afterwards."""
    url = servers["postgres"].url
    columns = ["number", "label"]
    count = postgres_data.provision(
        url, SCHEMA, ddl=DDL, table="seeded", columns=columns, rows=iter(ROWS)
    )
    assert count == len(ROWS)
    yield url
    postgres_data.drop(url, SCHEMA)
    assert SCHEMA not in schemas(url)
    postgres_data.drop(url, SCHEMA)


def test_seeded_rows_are_those_that_were_given(seeded: str) -> None:
    """Compared value by value, with text that COPY must escape."""
    with psycopg.connect(seeded) as connection:
        query = f"SELECT number, label FROM {QUOTED}.seeded ORDER BY number"
        assert connection.execute(query.encode()).fetchall() == ROWS


def test_a_seeding_that_fails_leaves_nothing(servers: dict[str, Server]) -> None:
    """The last row has a value of the wrong type."""
    url = servers["postgres"].url
    rows = [*ROWS, ("no number", "")]
    with pytest.raises(NotAnsweringError, match="invalid input syntax"):
        postgres_data.provision(
            url, SCHEMA, ddl=DDL, table="seeded", columns=["number", "label"], rows=rows
        )
    assert SCHEMA not in schemas(url)


def test_a_schema_that_exists_is_not_written_to(seeded: str) -> None:
    """It may be the user's."""
    with pytest.raises(NotAnsweringError, match="already exists"):
        postgres_data.provision(seeded, SCHEMA, ddl=[], table="seeded", columns=[], rows=[])


def test_written_rows_are_counted_by_run_and_level(seeded: str) -> None:
    """Rows of another run and of another level are not taken for them."""
    with psycopg.connect(seeded) as connection:
        connection.execute(
            f"INSERT INTO {QUOTED}.results SELECT 'mine', 1, generate_series(0, 99)"
            f" UNION ALL VALUES ('mine', 2, 7), ('other', 1, 8)".encode()
        )
    where = (seeded, SCHEMA)
    assert postgres_data.written_numbers(*where, "mine", 1) == set(range(100))
    assert postgres_data.written_numbers(*where, "mine", 2) == {7}
    assert postgres_data.written_numbers(*where, "other", 1) == {8}


def test_postgresql_connections_are_counted_by_name(servers: dict[str, Server]) -> None:
    """Three with the name, one of them in a statement; the probe's own is not among them."""
    url, name = servers["postgres"].url, "perf_pipeline-" + "x" * 60
    assert total_and_active(PostgresProbe(url, name)) == (0, 0)
    idle = [psycopg.connect(url, application_name=name) for _ in range(2)]
    with psycopg.connect(url, application_name=name) as busy:
        busy.pgconn.send_query(b"SELECT pg_sleep(30)")
        assert total_and_active(PostgresProbe(url, name)) == (3, 1)
        busy.cancel_safe()
        busy.pgconn.get_result()
        busy.close()
    for connection in idle:
        connection.close()


def test_redis_keys_are_counted_by_run_and_level(servers: dict[str, Server]) -> None:
    """With a prefix full of what SCAN takes for a pattern, among 5,000 foreign keys."""
    url, prefix = servers["redis"].url, "pp[a-z]*?\\^:"
    with Redis.from_url(url) as client:
        others = client.dbsize()
        foreign = {f"ppa:run:1:{number}": "x" for number in range(5000)}
        client.mset(foreign)
        client.mset({f"{prefix}run:1:{number}": "x" for number in range(3000)})
        client.mset({f"{prefix}run:2:9": "x", f"{prefix}run:1:5:lock": "x", f"{prefix}r:1:6": "x"})
        name = f"{prefix}run:"
        assert redis_data.written_numbers(url, name, "run", 1) == set(range(3000))
        assert redis_data.written_numbers(url, name, "run", 2) == {9}
        assert redis_data.drop(url, prefix) == 3003
        assert redis_data.written_numbers(url, name, "run", 1) == set()
        assert client.dbsize() == others + len(foreign)
        assert redis_data.drop(url, "ppa:") == len(foreign)


def test_an_empty_prefix_deletes_nothing(servers: dict[str, Server]) -> None:
    """It would be every key of the user's database."""
    with Redis.from_url(servers["redis"].url) as client:
        client.set("theirs", "x")
        with pytest.raises(ValueError, match="every key"):
            redis_data.drop(servers["redis"].url, "")
        assert client.getdel("theirs") == b"x"


def test_redis_connections_are_counted_without_the_probes_own(servers: dict[str, Server]) -> None:
    """All of them, and those with a name."""
    url = servers["redis"].url
    before = counted(RedisProbe(url)).total
    with Redis.from_url(url, client_name="mine") as named, Redis.from_url(url) as other:
        named.ping()
        other.ping()
        assert counted(RedisProbe(url)).total == before + 2
        assert counted(RedisProbe(url, "mine")).total == 1


def test_a_server_that_is_not_there_is_an_error_and_not_an_empty_count() -> None:
    """Nothing listens on port 9."""
    postgres, redis = "postgresql://a:b@127.0.0.1:9/db", "redis://127.0.0.1:9/0"
    with pytest.raises(NotAnsweringError):
        postgres_data.written_numbers(postgres, "s", "run", 1)
    with pytest.raises(NotAnsweringError):
        PostgresProbe(postgres, "name").ask()
    with pytest.raises(NotAnsweringError):
        redis_data.written_numbers(redis, "p:", "run", 1)
    with pytest.raises(NotAnsweringError):
        RedisProbe(redis).ask()
