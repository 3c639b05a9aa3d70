"""Which servers may be faulted: those of this project, and those with its marker.

Those of this project are what it started itself and the containers of its running stack.
Nobody but the owner of a server can know that nothing else depends on it. So a server that a user
named is faulted only if it carries a marker, which its owner makes by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.services import service_label
from perf_pipeline.faults.fault import FaultedServer, FaultRefusedError
from perf_pipeline.servers.lifecycle.started_server import current_pids, started_server
from perf_pipeline.servers.mongodb.session import session as mongodb_session
from perf_pipeline.servers.mysql.session import session as mysql_session
from perf_pipeline.servers.postgres.session import session as postgres_session
from perf_pipeline.servers.redis.session import session as redis_session
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.servers.server import Server

MARKER = "perf_pipeline_may_be_faulted"
"""Name of a table, a key or a collection in the database of the server's URL."""
_ANSWER_S = 5.0


def faulted_server(server: Server) -> FaultedServer:
    """Return a server as failures are injected into it.

    Raises:
        FaultRefusedError: It is neither ours nor marked, or could not be asked; the text names it
            and says how it is marked.
    """
    if started_server(server.folder) is not None and server.folder is not None:
        return FaultedServer(
            server.service,
            server.url,
            pids=current_pids(server.folder, server.pids),
            data_folder=server.folder / "data",
        )
    if server.container is not None:
        return FaultedServer(
            server.service, server.url, pids=server.pids, container=server.container
        )
    where = f"{service_label(server.service)} at {server.redacted_url}"
    has_marker, how = _MARKERS[server.service]
    try:
        if has_marker(server.url):
            return FaultedServer(server.service, server.url)
    except NotAnsweringError as error:
        raise FaultRefusedError(
            f"{where} could not be asked whether it may be faulted: {error}"
        ) from error
    raise FaultRefusedError(
        f"{where} is not faulted: this project did not start it, and it does not carry the marker "
        f"{MARKER}.\nIf nothing else depends on it, mark it with `{how}`; or leave its URL out, "
        "and a server is started for the run."
    )


def _in_postgres(url: str) -> bool:
    with postgres_session(url, _ANSWER_S) as connection:
        row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [MARKER]).fetchone()
    return bool(row and row[0])


def _in_mysql(url: str) -> bool:
    with mysql_session(url, _ANSWER_S) as cursor:
        cursor.execute("SHOW TABLES LIKE %s", [MARKER])
        return cursor.fetchone() is not None


def _in_redis(url: str) -> bool:
    with redis_session(url, _ANSWER_S) as client:
        return bool(client.exists(MARKER))


def _in_mongodb(url: str) -> bool:
    with mongodb_session(url, _ANSWER_S) as client:
        return MARKER in client.get_default_database().list_collection_names()


_MARKERS: dict[str, tuple[Callable[[str], bool], str]] = {
    "postgres": (_in_postgres, f"CREATE TABLE {MARKER} ()"),
    "mysql": (_in_mysql, f"CREATE TABLE {MARKER} (yes INT)"),
    "redis": (_in_redis, f"SET {MARKER} yes"),
    "mongodb": (_in_mongodb, f"db.createCollection('{MARKER}')"),
}
"""Service to what looks for its marker, and the command that makes it."""
