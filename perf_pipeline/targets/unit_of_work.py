"""Units of work over several servers: a transaction on each, open at the same time."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from typing import TYPE_CHECKING, Any

from perf_pipeline.steps import in_workflow, step
from perf_pipeline.workload import analytics, database

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from contextlib import AbstractContextManager

    from redis import Redis
    from sqlalchemy import Engine, TextClause

    from perf_pipeline.targets.documents import Documents

Row = dict[str, Any]


class UnitsOfWork:
    """Begins on each server, thinks, and commits; safe to share between threads.

    A connection is kept from its write to the end of the unit: PostgreSQL and MySQL by their
    transaction, Redis by a client with a connection of its own. MongoDB lends one for a single
    operation, so there a cursor that streams keeps it; a server that gives all documents at once
    keeps none. The waits are steps of the workflow (``database.connection_step``): one for each
    server, and two for MongoDB, whose insertion and cursor each wait for a connection.
    """

    def __init__(self, think_s: float, sleep: Callable[[float], None]) -> None:
        """Prepare without any server.

        Args:
            think_s: From the last write to the first commit.
            sleep: Waits for so many seconds.
        """
        self._think_s = think_s
        self._sleep = sleep
        self._begin: dict[str, Callable[[ExitStack, Row], int | bool]] = {}

    def add_sql(self, server: str, engine: Engine, insert: TextClause) -> None:
        """Add PostgreSQL or MySQL: its pool, and the insertion of a row."""

        def begin(stack: ExitStack, order: Row) -> int:
            with _waiting_for(server):
                connection = stack.enter_context(engine.begin())
            return connection.execute(insert, order["row"]).rowcount

        self._begin[server] = begin

    def add_redis(self, redis: Redis) -> None:
        """Add Redis: a client over its pool."""

        def begin(stack: ExitStack, order: Row) -> bool:
            with _waiting_for("redis"):
                client = stack.enter_context(redis.client())  # type: ignore[no-untyped-call]
            text = order["row"]["payload"]
            return bool(client.setex(order["key"], analytics.CACHE_TTL_S, text))

        self._begin["redis"] = begin

    def add_mongodb(self, documents: Documents) -> None:
        """Add MongoDB: the run's collection."""

        def begin(stack: ExitStack, order: Row) -> bool:
            document = database.document(order["row"])
            name = database.connection_step("mongodb")
            with documents.waits.timed_as(name) if in_workflow() else nullcontext():
                acknowledged = documents.insert(document)
                stack.enter_context(documents.streaming(document["_id"]))
            return acknowledged

        self._begin["mongodb"] = begin

    def transact(self, servers: Collection[str], order: Row) -> Row:
        """Store an order on some servers, in their order; what each of them said.

        The commits come in the reverse order. If one fails, the error passes, and what was
        committed before it stays: nothing coordinates the servers, as in most applications.
        """
        with ExitStack() as stack:
            said = {server: self._begin[server](stack, order) for server in servers}
            self._sleep(self._think_s)
        return said


def _waiting_for(server: str) -> AbstractContextManager[object]:
    """Time how long a workflow waits for a connection, where its steps are recorded."""
    return step(database.connection_step(server)) if in_workflow() else nullcontext()
