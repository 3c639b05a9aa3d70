"""What a run keeps in MongoDB: a collection of its own, and its documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.servers.mongodb.launch import session

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.collection import Collection

_PROVISION_S = 60.0
_COUNT_S = 60.0
_DROP_S = 30.0
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


def _named(client: MongoClient[dict[str, Any]], collection: str) -> Collection[dict[str, Any]]:
    return client.get_default_database()[collection]
