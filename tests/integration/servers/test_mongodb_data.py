"""What a run keeps in MongoDB is found again, counted, removed; FerretDB or nx-27017 plays it."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, WriteError

from perf_pipeline.servers.lifecycle.folder import processes_in
from perf_pipeline.servers.lifecycle.lease import leased
from perf_pipeline.servers.mongodb import data as mongodb_data
from perf_pipeline.servers.mongodb import ferretdb
from perf_pipeline.servers.mongodb import service as mongodb
from perf_pipeline.servers.mongodb.probe import MongodbProbe
from perf_pipeline.servers.mongodb.session import session as mongodb_session
from perf_pipeline.servers.service import Installation, NotAnsweringError, find_service
from tests.integration.runs.connection_counts import counted
from tests.integration.runs.traces import names_on, port_of, start
from tests.sandbox import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

NAME = "perf_x_results"


@pytest.fixture
def url(servers: dict[str, Server]) -> Iterator[str]:
    """The URL of a MongoDB with the run's collection, which is dropped afterwards."""
    url = servers["mongodb"].url
    mongodb_data.create(url, NAME, seed=1)
    yield url
    mongodb_data.drop(url, NAME)
    assert f"mongodb {NAME}" not in names_on(servers)
    mongodb_data.drop(url, NAME)


def insert(url: str, keys: list[tuple[str, int, int]]) -> None:
    with mongodb_session(url, 5.0) as client:
        documents = [dict(zip(mongodb_data.KEY, key, strict=True)) for key in keys]
        client.get_default_database()[NAME].insert_many(documents)


def test_written_documents_are_counted_by_run_and_level(url: str) -> None:
    """Those of another run and of another level are not taken for them."""
    mine = [("mine", 1, number) for number in range(-2, 1000)]
    insert(url, [*mine, ("mine", 2, 7), ("other", 1, 8)])
    assert mongodb_data.written_numbers(url, NAME, "mine", 1) == set(range(-2, 1000))
    assert mongodb_data.written_numbers(url, NAME, "mine", 2) == {7}
    assert mongodb_data.written_numbers(url, NAME, "other", 1) == {8}
    assert "(1004 documents)" in mongodb_data.settle(url, NAME)


def test_a_second_write_of_a_workflow_is_refused(url: str) -> None:
    """As the primary keys of PostgreSQL and MySQL refuse it."""
    with mongodb_session(url, 5.0) as client:
        collection = client.get_default_database()[NAME]
        collection.insert_one({"run_id": "mine", "level": 1, "number": 5})
        with pytest.raises((DuplicateKeyError, WriteError)):
            collection.insert_one({"run_id": "mine", "level": 1, "number": 5})
        assert collection.count_documents({}) == 1


def test_a_collection_that_exists_is_not_taken(url: str) -> None:
    """It may be the user's."""
    with pytest.raises(NotAnsweringError, match="already exists"):
        mongodb_data.create(url, NAME, seed=1)


def test_connections_are_counted_without_the_probe_s_own(url: str) -> None:
    """A bounded pool of three among eight threads, and the one by which its client watches."""
    assert until(lambda: counted(MongodbProbe(url, "mine")).total == 0)
    with MongoClient[Any](url, maxPoolSize=3, serverMonitoringMode="poll") as client:
        gate = threading.Barrier(8)

        def work() -> None:
            gate.wait()
            for _ in range(20):
                client.admin.command("ping")

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        found = counted(MongodbProbe(url, "mine"))
        assert found.total <= 3 + 1
        assert found.total >= 2
        assert found.active is None
        assert "does not know" in found.how
        assert mongodb.connection_count(url, 2.0) == found.total
    assert until(lambda: counted(MongodbProbe(url, "mine")).total == 0)


def test_a_lease_on_the_users_mongodb_leaves_it_clean(
    settings: Settings, servers: dict[str, Server]
) -> None:
    theirs = replace(servers["mongodb"], source="settings")
    before = names_on(servers)
    with leased(settings.state_dir, theirs, NAME):
        mongodb_data.create(theirs.url, NAME, seed=1)
        assert names_on(servers) == before | {f"mongodb {NAME}"}
    assert names_on(servers) == before


def test_a_stand_in_of_the_users_is_not_said_to_have_our_version(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only one that runs in a folder of ours is known to come from our packages."""
    (stand_in,) = mongodb.installations(replace(settings, search_path="/nonexistent"))
    embedded = start(find_service("mongodb"), stand_in, settings.temp_dir)
    assert embedded.server.facts.version == "0.8.1 (MongoDB wire, SQLite)"
    monkeypatch.setattr(mongodb, "FOLDER_PREFIX", "somewhere-else-")
    facts = mongodb.identify(embedded.server.url, 5.0)
    assert facts.version == "of unknown version (MongoDB wire, SQLite)"
    assert facts.stand_in
    embedded.stop()


def test_ferretdb_listens_on_its_port_alone_and_reports_to_nobody(settings: Settings) -> None:
    """By default it serves metrics on 8088 as well, and decides about telemetry within the hour."""
    program = ferretdb.installed(settings)
    if program is None:
        pytest.skip("no FerretDB here: make ferretdb")
    embedded = start(find_service("mongodb"), Installation("machine", program), settings.temp_dir)
    (pid,) = processes_in(embedded.folder)
    sockets = psutil.Process(pid).net_connections("all")
    listening = [one.laddr for one in sockets if one.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", port_of(embedded.server.url))]
    state = json.loads((embedded.folder / "state.json").read_text(encoding="utf-8"))
    assert state["telemetry"] is False
    assert embedded.server.facts.stand_in
    assert embedded.server.facts.settings["stands_in_for"] == "MongoDB"
    embedded.stop()


def test_a_dead_mongodb_delays_nothing() -> None:
    """The driver would look for it for 15 s; where no port listens, that is known at once."""
    began_s = time.monotonic()
    with pytest.raises(NotAnsweringError, match=r"nothing listens on 127\.0\.0\.1:9"):
        mongodb_data.settle("mongodb://127.0.0.1:9/db", NAME)
    assert time.monotonic() - began_s < 3


def test_a_mongodb_that_is_not_there_is_an_error_and_not_an_empty_count() -> None:
    """Nothing listens on port 9."""
    dead = "mongodb://127.0.0.1:9/db?serverSelectionTimeoutMS=100"
    with pytest.raises(NotAnsweringError) as raised:
        MongodbProbe(dead, "name").ask()
    assert "Topology" not in str(raised.value)
