"""The data of a run in Shelf: keys with a prefix of its own; a ``Storage``."""

from __future__ import annotations

from tests.integration.servers.shelf.session import session

NEEDED_PRIVILEGES = "nothing"


def storage_name(run_id: str) -> str:
    """Return the prefix of all keys of a run."""
    return f"{run_id}/"


def try_out(url: str, name: str) -> None:
    """Do nothing: everybody may do everything."""


def create(url: str, name: str, seed: int) -> int:
    """Write one row that workflows read."""
    with session(url, 5.0) as ask:
        ask("put", key=f"{name}seed", value=str(seed))
    return 1


def written_numbers(url: str, name: str, run_id: str, level: int) -> set[int]:  # noqa: ARG001
    """Return the numbers of the workflows of a load level whose key is on the server."""
    with session(url, 5.0) as ask:
        keys = ask("list", prefix=f"{name}{level}/")["keys"]
    return {int(key.rpartition("/")[2]) for key in keys}


def settle(url: str, name: str) -> str:
    """Remove a run's keys."""
    return f"{drop(url, name)} keys removed."


def drop(url: str, name: str) -> int:
    """Remove a run's keys, and return how many there were."""
    with session(url, 5.0) as ask:
        return len(ask("take", prefix=name)["keys"])
