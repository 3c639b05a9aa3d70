"""MongoDB's writes locked by ``fsync``; those of FerretDB or the stand-in by a lock on its file."""

from __future__ import annotations

import sqlite3
from functools import partial
from typing import TYPE_CHECKING, Any

from pymongo.uri_parser import parse_uri

from perf_pipeline.faults.arguments import server_of
from perf_pipeline.faults.fault import FaultRefusedError, Sign
from perf_pipeline.faults.locks.sqlite_locks import write_lockers
from perf_pipeline.servers.lifecycle.started_server import started_server
from perf_pipeline.servers.mongodb.ferretdb import is_ferretdb
from perf_pipeline.servers.mongodb.session import is_stand_in, server_status, session
from perf_pipeline.servers.probe import ProbeSession
from perf_pipeline.servers.service import NotAnsweringError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pymongo import MongoClient

    from perf_pipeline.faults.fault import Fault, FaultedServer, Place, State

_ANSWER_S = 5.0
_LOCK_WAIT_S = 4.0
_SUFFIXES = (".sqlite", ".db")
"""Of FerretDB's file of a database, and of the stand-in's."""
_MOST_UNLOCKS = 10
"""Locks are counted by the server, and each must be taken back."""


def locks_of_mongodb(place: Place) -> Fault:
    """Return what locks the MongoDB of a place, or what speaks its protocol over SQLite."""
    server = server_of(place)
    status = server_status(server.url, _ANSWER_S)
    if is_ferretdb(status) or is_stand_in(status):
        return SqliteLock(server)
    return MongodLock(server)


def unlock_mongod(url: str) -> None:
    """Take back every ``fsync`` lock of a server.

    Raises:
        NotAnsweringError: The server failed.
    """
    with session(url, _ANSWER_S) as client:
        for _ in range(_MOST_UNLOCKS):
            if not _is_locked(client):
                return
            client.admin.command("fsyncUnlock")


class MongodLock:
    """Locks all writes of a mongod; see ``Fault``. It stays until it is taken back."""

    def __init__(self, server: FaultedServer) -> None:
        """Prepare; nothing is opened."""
        self._url = server.url
        self._watch = ProbeSession(partial(session, self._url, _ANSWER_S))
        self._locked = False

    def preflight(self) -> None:
        """See whether another program has locked it: ours could not be told from that."""
        if self._watch.ask(_is_locked):
            raise FaultRefusedError("the server is locked already, by another program")

    def state(self) -> State:
        """Return whether the server says that it is locked."""
        return {"locked by fsync": str(self._watch.ask(_is_locked))}

    def undo_entry(self) -> Mapping[str, str]:
        """Return the server."""
        return {"url": self._url}

    def inject(self) -> None:
        """Lock."""
        self._locked = True  # also if the answer does not come
        self._watch.ask(lambda client: client.admin.command({"fsync": 1, "lock": True}))

    def sign(self) -> Sign:
        """Ask the server which operations wait for a lock, and whether it is locked."""
        try:
            locked = self._watch.ask(_is_locked)
            waiting = len(self._watch.ask(_waiting))
        except NotAnsweringError as error:
            return Sign(in_effect=False, value=0.0, text=f"the server did not answer: {error}")
        text = f"the server is {'' if locked else 'not '}locked; {waiting} operations wait"
        return Sign(in_effect=locked, value=float(waiting), text=text)

    def undo(self) -> None:
        """Unlock, and end the session that watches."""
        if self._locked:
            unlock_mongod(self._url)
        self._locked = False
        self._watch.close()


class SqliteLock:
    """Holds the lock for writes of a server's SQLite file; see ``Fault``.

    It dies with its process, as all locks of files. The server locks its file for each write as
    well: who has the lock is known from the kernel. FerretDB and the stand-in have such a file.
    """

    def __init__(self, server: FaultedServer) -> None:
        """Prepare; nothing is opened."""
        self._server = server
        self._holder: sqlite3.Connection | None = None

    def preflight(self) -> None:
        """Find the file."""
        self._file()

    def state(self) -> State:
        """Return whether another program than the server has the lock."""
        return {"file": "locked" if self._lockers() else "free"}

    def undo_entry(self) -> Mapping[str, str]:
        """Return nothing: the lock ends with this process."""
        return {}

    def inject(self) -> None:
        """Lock; waits for a write of the server."""
        self._holder = sqlite3.connect(
            self._file(), timeout=_LOCK_WAIT_S, isolation_level=None, check_same_thread=False
        )
        self._holder.execute("BEGIN IMMEDIATE")

    def sign(self) -> Sign:
        """Ask the kernel which programs have the lock."""
        lockers = self._lockers()
        text = "no other program has locked the server's file"
        if lockers:
            text = f"process {min(lockers)} has locked the server's file for writes"
        return Sign(in_effect=bool(lockers), value=float(len(lockers)), text=text)

    def undo(self) -> None:
        """Unlock."""
        if self._holder is not None:
            self._holder.close()
        self._holder = None

    def _file(self) -> Path:
        database = parse_uri(self._server.url)["database"]
        folder = self._server.data_folder
        places = [] if folder is None else [folder, folder / "data"]
        names = [f"{database}{suffix}" for suffix in _SUFFIXES]
        found = [place / name for place in places for name in names if (place / name).exists()]
        if not found:
            raise FaultRefusedError(f"the server's file {names[0]} is not on this machine")
        return found[0]

    def _lockers(self) -> set[int]:
        """Return the processes, other than the server's, that have the lock for writes."""
        folder = self._server.data_folder
        started = started_server(folder.parent) if folder is not None else None
        own = started.processes() if started is not None else self._server.pids
        return write_lockers(self._file()) - set(own)


def _is_locked(client: MongoClient[dict[str, Any]]) -> bool:
    return bool(client.admin.command("currentOp").get("fsyncLock", False))


def _waiting(client: MongoClient[dict[str, Any]]) -> list[dict[str, Any]]:
    return list(client.admin.command("currentOp", {"waitingForLock": True}).get("inprog", []))
