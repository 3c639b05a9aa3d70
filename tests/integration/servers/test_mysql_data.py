"""What a run keeps in MySQL is found again, counted, and removed without a trace."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import pymysql
import pytest

from perf_pipeline.servers.lifecycle.lease import leased
from perf_pipeline.servers.mysql import data as mysql_data
from perf_pipeline.servers.mysql import service as mysql
from perf_pipeline.servers.mysql.probe import MysqlProbe
from perf_pipeline.servers.mysql.session import database_of
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.service import NotAnsweringError
from tests.integration.runs.connection_counts import counted, total_and_active
from tests.integration.runs.traces import (
    names_on,
    start,
)
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server
    from perf_pipeline.servers.service import Installation, Launch, Service

pytestmark = pytest.mark.integration

TABLE = "perf_x_results"


@pytest.fixture
def url(servers: dict[str, Server]) -> Iterator[str]:
    """The URL of a MySQL with the run's table, which is dropped afterwards."""
    url = servers["mysql"].url
    mysql_data.create(url, TABLE, seed=1)
    yield url
    mysql_data.drop(url, TABLE)
    assert f"mysql {TABLE}" not in names_on(servers)
    mysql_data.drop(url, TABLE)


def connect(url: str, name: str | None = None) -> pymysql.Connection[pymysql.cursors.Cursor]:
    """Connect as a worker does."""
    parts = urlsplit(url)
    return pymysql.connect(
        host=parts.hostname,
        port=parts.port or 0,
        user=parts.username,
        password=parts.password or "",
        database=database_of(url),
        program_name=name,
        autocommit=True,
    )


def insert(url: str, rows: list[tuple[str, int, int]]) -> None:
    with connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO {TABLE} VALUES (%s, %s, %s, 'x')", rows)


def test_written_rows_are_counted_by_run_and_level(url: str) -> None:
    """Rows of another run and of another level are not taken for them."""
    mine = [("mine", 1, number) for number in range(-2, 100)]
    insert(url, [*mine, ("mine", 2, 7), ("other", 1, 8), ("MINE", 1, 9)])
    assert mysql_data.written_numbers(url, TABLE, "mine", 1) == set(range(-2, 100))
    assert mysql_data.written_numbers(url, TABLE, "mine", 2) == {7}
    assert mysql_data.written_numbers(url, TABLE, "other", 1) == {8}


def test_a_table_that_exists_is_not_taken(url: str) -> None:
    """It may be the user's."""
    with pytest.raises(NotAnsweringError, match="already exists"):
        mysql_data.create(url, TABLE, seed=1)


def test_without_performance_schema_connections_are_counted_by_user_and_database(url: str) -> None:
    """Three, one of them in a statement; neither the probe's nor one of another database."""
    with mysql_session(url, 5.0, without_database=True):
        # Those of tests before this one may still be closing.
        assert until(lambda: total_and_active(MysqlProbe(url, "mine")) == (0, 0))
        assert "the URL's user in its database" in counted(MysqlProbe(url, "mine")).how
        _count_three(url, "mine")


def test_with_performance_schema_connections_are_counted_by_program_name(
    settings: Settings, tmp_path: Path
) -> None:
    """Another program of the same user in the same database is not counted; MySQL's default."""
    first = mysql.installations(settings)[0]
    embedded = start(cast("Service", _PerformanceSchema()), first, tmp_path)
    try:
        with connect(embedded.server.url, "other"):
            assert "named mine" in counted(MysqlProbe(embedded.server.url, "mine")).how
            _count_three(embedded.server.url, "mine")
    finally:
        embedded.stop()


def test_only_the_run_s_own_user_can_log_in(servers: dict[str, Server]) -> None:
    """MariaDB begins with several roots without a password; whoever was one could run programs."""
    parts = urlsplit(servers["mysql"].url)
    for user in ("root", "mysql", "nobody"):
        with pytest.raises(pymysql.OperationalError, match="Access denied"):
            pymysql.connect(host=parts.hostname, port=parts.port or 0, user=user)


def test_a_lease_on_the_users_mysql_leaves_it_clean(
    settings: Settings, servers: dict[str, Server]
) -> None:
    theirs = replace(servers["mysql"], source="settings")
    before = names_on(servers)
    with leased(settings.state_dir, theirs, TABLE):
        mysql_data.create(theirs.url, TABLE, seed=1)
        assert names_on(servers) == before | {f"mysql {TABLE}"}
        (note,) = (settings.state_dir / "leases").iterdir()
        password = urlsplit(theirs.url).password
        assert password is not None
        assert password not in note.read_text()
    assert names_on(servers) == before
    assert list((settings.state_dir / "leases").iterdir()) == []


def test_a_mysql_that_is_not_there_is_an_error_and_not_an_empty_count() -> None:
    """Nothing listens on port 9."""
    dead = "mysql://a:b@127.0.0.1:9/db"
    with pytest.raises(NotAnsweringError):
        mysql_data.written_numbers(dead, "t", "run", 1)
    with pytest.raises(NotAnsweringError):
        MysqlProbe(dead, "name").ask()


def _count_three(url: str, name: str) -> None:
    idle = [connect(url, name) for _ in range(2)]
    with connect(url, name) as busy, busy.cursor() as cursor:
        thread = threading.Thread(target=cursor.execute, args=["SELECT sleep(1.5)"])
        thread.start()
        assert until(lambda: total_and_active(MysqlProbe(url, name)) == (3, 1), within_s=1.4)
        thread.join()
        assert total_and_active(MysqlProbe(url, name)) == (3, 0)
    for connection in idle:
        connection.close()
    assert until(lambda: counted(MysqlProbe(url, name)).total == 0)


class _PerformanceSchema(ModuleType):
    """MariaDB's back end with the performance schema switched on."""

    def __init__(self) -> None:
        super().__init__("mysql")
        self.__dict__.update({k: v for k, v in vars(mysql).items() if k != "launch"})

    def launch(self, installation: Installation, folder: Path, port: int) -> Launch:
        usual = mysql.launch(installation, folder, port)
        return replace(usual, serve=[*usual.serve, "--performance-schema=ON"])
