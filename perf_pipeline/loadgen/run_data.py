"""What a run keeps on one server: made before the load, counted after each level, then emptied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.servers.lifecycle import state
from perf_pipeline.servers.mongodb import data as mongodb_data
from perf_pipeline.servers.mongodb.probe import MongodbProbe
from perf_pipeline.servers.mysql import data as mysql_data
from perf_pipeline.servers.mysql.probe import MysqlProbe
from perf_pipeline.servers.postgres import data as postgres_data
from perf_pipeline.servers.postgres.probe import PostgresProbe
from perf_pipeline.servers.redis import data as redis_data
from perf_pipeline.servers.redis.probe import RedisProbe
from perf_pipeline.servers.snapshot import WatchedServer
from perf_pipeline.workload.dataset import (
    MEASUREMENT_COLUMNS,
    MEASUREMENTS,
    RESULTS,
    ddl,
    measurement_rows,
    mysql_ddl,
    results_name,
)
from perf_pipeline.workload.servers import connection_name

if TYPE_CHECKING:
    from perf_pipeline.servers.server import Server
    from perf_pipeline.servers.snapshot import Probe

REDIS_PREFIX = "perf_pipeline:"


def schema_name(run_id: str) -> str:
    """Return the name of a run's schema in PostgreSQL; the other servers' names follow from it."""
    return "perf_" + run_id.replace("-", "_").lower()


@dataclass(frozen=True)
class RunData:
    """What a run keeps on one server.

    Attributes:
        server: The server; its service decides what is kept and how.
        run_id: The run; its name is part of all that is kept.
    """

    server: Server
    run_id: str

    @property
    def name(self) -> str:
        """Schema in PostgreSQL, prefix of keys in Redis, table in MySQL, collection in MongoDB."""
        if self.server.service == "redis":
            return f"{REDIS_PREFIX}{self.run_id}:"
        schema = schema_name(self.run_id)
        return schema if self.server.service == "postgres" else results_name(schema)

    def seed(self, seed: int) -> int:
        """Make what the workflows need there.

        Args:
            seed: Seed of the run.

        Returns:
            Rows that workflows will read.
        """
        url = self.server.url
        match self.server.service:
            case "postgres":
                return postgres_data.provision(
                    url,
                    self.name,
                    ddl=ddl(self.name),
                    table=MEASUREMENTS,
                    columns=MEASUREMENT_COLUMNS,
                    rows=measurement_rows(seed),
                )
            case "mysql":
                mysql_data.provision(url, mysql_ddl(self.name))
            case "mongodb":
                mongodb_data.provision(url, self.name)
        return 0

    def written_numbers(self, level: int) -> set[int]:
        """Return the numbers of the workflows of a level whose write is there."""
        url = self.server.url
        match self.server.service:
            case "postgres":
                where = (self.name, RESULTS, self.run_id, level)
                return postgres_data.written_numbers(url, *where)
            case "mysql":
                return mysql_data.written_numbers(url, self.name, self.run_id, level)
            case "mongodb":
                return mongodb_data.written_numbers(url, self.name, self.run_id, level)
        return redis_data.written_numbers(url, REDIS_PREFIX, self.run_id, level)

    def settle(self) -> str:
        """Bring the server to the state in which every level begins; says what was done."""
        url = self.server.url
        match self.server.service:
            case "postgres":
                return state.settle_postgres(url, self.name, emptied=RESULTS, kept=[MEASUREMENTS])
            case "mysql":
                return state.settle_mysql(url, self.name)
            case "mongodb":
                return state.settle_mongodb(url, self.name)
        return state.settle_redis(url, self.name)

    def watched(self) -> WatchedServer:
        """Return the server as it is watched while load runs; nothing is opened yet."""
        url, name = self.server.url, connection_name(self.run_id)
        probe: Probe
        match self.server.service:
            case "postgres":
                probe = PostgresProbe(url, name)
            case "mysql":
                probe = MysqlProbe(url, name)
            case "mongodb":
                probe = MongodbProbe(url, name)
            case _:
                probe = RedisProbe(url, name)
        return WatchedServer(
            pids=self.server.pids,
            shared=self.server.source in ("settings", "start"),
            probe=probe,
        )
