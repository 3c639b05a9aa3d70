"""The data of a run in MongoDB: its own collection for results; a ``Storage``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import ReadPreference

from perf_pipeline.servers.mongodb.session import session
from perf_pipeline.workload.dataset import results_name, schema_name

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.collection import Collection

_PROVISION_S = 60.0
_COUNT_S = 60.0
_DROP_S = 30.0
KEY = ("run_id", "level", "number")
"""Fields of every document that a workflow writes."""


NEEDED_PRIVILEGES = "the role readWrite on the database (db.grantRolesToUser)"


def storage_name(run_id: str) -> str:
    """Return the name of a run's collection."""
    return results_name(schema_name(run_id))


def try_out(url: str, name: str) -> None:
    """Make a run's collection, empty it and drop it.

    Raises:
        NotAnsweringError: The server refused or failed.
    """
    create(url, name, 0)
    settle(url, name)
    drop(url, name)


def create(url: str, name: str, seed: int) -> int:  # noqa: ARG001 - workflows read nothing here
    """Make a run's empty collection, in which a workflow can write once.

    Args:
        url: The server; its user must be allowed to create collections in the database.
        name: Must not exist.
        seed: Not used: workflows read nothing here.

    Returns:
        0: workflows read nothing here.

    Raises:
        NotAnsweringError: The server refused or failed, or the collection exists already.
    """
    with session(url, _PROVISION_S) as client:
        collection = client.get_default_database().create_collection(name)
        collection.create_index([(field, 1) for field in KEY], unique=True)
    return 0


def written_numbers(url: str, name: str, run_id: str, level: int) -> set[int]:
    """Return the numbers of the workflows of a load level whose document is on the server.

    Raises:
        NotAnsweringError: The server failed, so the numbers are not known.
    """
    with session(url, _COUNT_S) as client:
        found = _collection(client, name).find(
            {"run_id": run_id, "level": level}, {"number": 1, "_id": 0}
        )
        return {int(document["number"]) for document in found}


def settle(url: str, name: str) -> str:
    """Empty a run's collection; its index stays.

    Returns:
        What was done.

    Raises:
        NotAnsweringError: The server failed.
    """
    with session(url, _COUNT_S) as client:
        documents = _collection(client, name).delete_many({}).deleted_count
    return f"collection emptied ({documents} documents), its index kept; its caches stay warm."


def drop(url: str, name: str) -> None:
    """Drop a run's collection; a collection that does not exist is fine.

    Raises:
        NotAnsweringError: The server failed.
    """
    with session(url, _DROP_S) as client:
        client.get_default_database().drop_collection(name)


def _collection(client: MongoClient[dict[str, Any]], name: str) -> Collection[dict[str, Any]]:
    # Of a replica set whose URL prefers secondaries too, since those may lag.
    return client.get_default_database().get_collection(
        name, read_preference=ReadPreference.PRIMARY
    )
