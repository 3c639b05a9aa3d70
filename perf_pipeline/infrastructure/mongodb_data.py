"""What a run keeps in MongoDB: a collection of its own, its documents, its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.infrastructure.connection_count import ConnectionCount
from perf_pipeline.infrastructure.mongodb import OWN_CONNECTIONS, facts, server_status, session

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.collection import Collection

_PROVISION_S = 60.0
_COUNT_S = 60.0
_DROP_S = 30.0
PROBE_S = 2.0
"""A probe that takes longer is counted as failed."""

KEY = ("run_id", "level", "number")
"""Fields of every document that a workflow writes."""


def provision(url: str, collection: str) -> None:
    """Make a run's empty collection, in which a workflow can write once.

    Args:
        url: The server; its user must be allowed to create collections in the database.
        collection: Must not exist.

    Raises:
        NotAnsweringError: The server refused or failed, or the collection is there already.
    """
    with session(url, _PROVISION_S) as client:
        made = client.get_default_database().create_collection(collection)
        made.create_index([(field, 1) for field in KEY], unique=True)


def written_numbers(url: str, collection: str, run_id: str, level: int) -> set[int]:
    """Return the numbers of the workflows of a level whose document is on the server.

    Raises:
        NotAnsweringError: The server failed, so it is not known.
    """
    with session(url, _COUNT_S) as client:
        found = _named(client, collection).find(
            {"run_id": run_id, "level": level}, {"number": 1, "_id": 0}
        )
        return {int(document["number"]) for document in found}


def delete_written(url: str, collection: str, run_id: str, level: int) -> int:
    """Delete the documents of a level, and return how many there were.

    Raises:
        NotAnsweringError: The server failed.
    """
    with session(url, _COUNT_S) as client:
        deleted = _named(client, collection).delete_many({"run_id": run_id, "level": level})
    return deleted.deleted_count


def empty(url: str, collection: str) -> int:
    """Delete every document of a run's collection, and return how many there were.

    Raises:
        NotAnsweringError: The server failed.
    """
    with session(url, _COUNT_S) as client:
        return _named(client, collection).delete_many({}).deleted_count


def drop(url: str, collection: str) -> None:
    """Drop a run's collection; one that is not there is fine.

    Raises:
        NotAnsweringError: The server failed.
    """
    with session(url, _DROP_S) as client:
        client.get_default_database().drop_collection(collection)


def connection_count(url: str, app_name: str) -> ConnectionCount:
    """Count the connections of a run's workers, all of them and those executing a command.

    Among them are those by which each worker's driver watches the server. A stand-in cannot tell
    whose a connection is, nor what it does: there all but ours are counted.

    Args:
        url: The server; its user must be allowed to see everybody's operations (inprog).
        app_name: What workers give as ``appName``.

    Raises:
        NotAnsweringError: The server did not answer in ``PROBE_S``, or does not tell this user.
    """
    if facts(url, PROBE_S).stand_in:
        current = int(server_status(url, PROBE_S)["connections"]["current"])
        how = "connections of all programs (the stand-in does not know their names)"
        return ConnectionCount(current - OWN_CONNECTIONS, None, how)
    stages: list[dict[str, Any]] = [
        {"$currentOp": {"allUsers": True, "idleConnections": True}},
        {"$match": {"appName": app_name}},
        {"$project": {"active": 1}},
    ]
    with session(url, PROBE_S) as client:
        listed = list(client.admin.aggregate(stages))
    how = f"connections of programs named {app_name}, the drivers' own among them"
    return ConnectionCount(len(listed), sum(one.get("active") is True for one in listed), how)


def _named(client: MongoClient[dict[str, Any]], collection: str) -> Collection[dict[str, Any]]:
    return client.get_default_database()[collection]
