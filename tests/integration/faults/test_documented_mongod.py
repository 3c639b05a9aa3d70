"""Failures of MongoDB itself, on a server that answers as MongoDB documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from perf_pipeline.faults.fault import FaultedServer, FaultRefusedError
from perf_pipeline.faults.kinds import connection_exhaustion, database_timeout
from tests.integration.faults.mongod_protocol import documented_mongod
from tests.integration.faults.played import injected, place_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.faults.mongod_protocol import DocumentedMongod

pytestmark = pytest.mark.integration


def test_writes_wait_while_fsync_has_locked_them(tmp_path: Path) -> None:
    with documented_mongod(limit=100) as server:
        assert inserts(server)
        place = place_of(tmp_path / "fault", FaultedServer("mongodb", server.url))
        with injected(database_timeout.make(place, {})):
            assert not inserts(server)
        assert inserts(server)


def test_a_lock_that_a_dead_injector_left_is_taken_back_with_its_entry(tmp_path: Path) -> None:
    """Also one that was taken twice: the server counts."""
    with documented_mongod(limit=100) as server:
        place = place_of(tmp_path / "fault", FaultedServer("mongodb", server.url))
        fault = database_timeout.make(place, {})
        fault.preflight()
        entry = fault.undo_entry()
        fault.inject()
        fault.inject()
        assert server.locks == 2
        database_timeout.undo_left_behind(entry)
        assert server.locks == 0


def test_a_server_that_is_locked_already_is_refused(tmp_path: Path) -> None:
    """Its lock is another program's, and ours could not be told from it."""
    with documented_mongod(limit=100) as server:
        server.locks = 1
        place = place_of(tmp_path / "fault", FaultedServer("mongodb", server.url))
        with pytest.raises(FaultRefusedError, match="locked already"):
            database_timeout.make(place, {}).preflight()


def test_all_connections_of_a_full_server_are_held(tmp_path: Path) -> None:
    """It closes the thirty-first at once."""
    with documented_mongod(limit=30) as server:
        place = place_of(tmp_path / "fault", FaultedServer("mongodb", server.url))
        with injected(connection_exhaustion.make(place, {})):
            assert not inserts(server)
        assert inserts(server)


def inserts(server: DocumentedMongod) -> bool:
    """Return whether a client's write is answered soon."""
    options = {"socketTimeoutMS": 300, "serverSelectionTimeoutMS": 300, "retryWrites": False}
    with MongoClient[dict[str, int]](server.url, **options) as client:
        try:
            client.get_default_database()["results"].insert_one({"number": 1})
        except PyMongoError:
            return False
    return True
