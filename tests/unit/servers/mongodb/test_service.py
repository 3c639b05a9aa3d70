"""Where MongoDB comes from, and that nothing stands in for it unasked."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import read_settings
from perf_pipeline.servers.mongodb import ferretdb, session
from perf_pipeline.servers.mongodb import service as mongodb
from perf_pipeline.servers.service import Installation, NotAnsweringError

if TYPE_CHECKING:
    from pathlib import Path

STAND_IN = {"PERF_PIPELINE_MONGODB_STANDIN": "nx-27017"}


def test_the_stand_in_is_used_only_if_the_settings_allow_it(tmp_path: Path) -> None:
    """It is installed here, as the tests need it."""
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}
    assert mongodb.installations(read_settings(environ)) == []
    (found,) = mongodb.installations(read_settings({**environ, **STAND_IN}))
    assert found.source == "bundle"
    assert found.program.parent.name == "nx_27017"


def test_a_mongod_on_the_machine_comes_before_the_stand_in(tmp_path: Path) -> None:
    mongod = tmp_path / "bin/mongod"
    mongod.parent.mkdir()
    mongod.touch(mode=0o755)
    environ = {"HOME": str(tmp_path), "PATH": str(mongod.parent), **STAND_IN}
    found = mongodb.installations(read_settings(environ))
    assert [one.source for one in found] == ["machine", "bundle"]
    assert found[0].program == mongod


def test_ferretdb_comes_after_a_mongod_and_before_the_stand_in(tmp_path: Path) -> None:
    """On PATH, or built into the cache; nobody needs to allow it."""
    for name in ("mongod", "ferretdb"):
        (tmp_path / name).touch(mode=0o755)
    environ = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    found = mongodb.installations(read_settings({**environ, **STAND_IN}))
    assert [one.program.name for one in found] == ["mongod", "ferretdb", "__init__.py"]
    (tmp_path / "mongod").unlink()
    (tmp_path / "ferretdb").unlink()
    settings = read_settings(environ)
    built = ferretdb.built_folder(settings.cache_dir) / "ferretdb"
    built.parent.mkdir(parents=True)
    built.touch(mode=0o755)
    assert mongodb.installations(settings) == [Installation("machine", built)]


def test_ferretdb_is_named_as_what_it_is_and_its_store_only_where_it_is_known() -> None:
    """Process 0 has no command: FerretDB runs on another machine."""
    status = {"process": "ferretdb", "ferretdbVersion": "v1.24.2", "version": "7.0.42", "pid": 0}
    facts = ferretdb.facts_of(status)
    assert (facts.product, facts.version) == ("FerretDB", "1.24.2")
    assert facts.settings == {"stands_in_for": "MongoDB", "claims_version": "7.0.42"}
    assert facts.stand_in


def test_connections_to_a_ferretdb_on_another_machine_are_not_counted() -> None:
    """The kernel counts sockets of this machine: it would say 0."""
    with pytest.raises(NotAnsweringError, match="is not on loopback"):
        ferretdb.open_connections("mongodb://127.0.0.1:1,192.0.2.1:27017/x")


def test_a_mongod_keeps_to_its_folder_and_to_loopback(tmp_path: Path) -> None:
    """No socket file in /tmp, no program run for whoever connects."""
    started = mongodb.launch(Installation("machine", tmp_path / "mongod"), tmp_path / "run", 4000)
    words = " ".join(started.serve)
    assert words.startswith(f"{tmp_path}/mongod ")
    assert f"--port 4000 --dbpath {tmp_path}/run/data" in words
    assert "--bind_ip 127.0.0.1" in words
    assert {"--nounixsocket", "--noscripting"} <= set(started.serve)
    assert started.url == "mongodb://127.0.0.1:4000/perf_pipeline"


def test_the_stand_in_keeps_its_files_in_its_folder(tmp_path: Path) -> None:
    """By default it writes its log and its process id to /tmp."""
    started = mongodb.launch(Installation("bundle", tmp_path / "x"), tmp_path / "run", 4000)
    for option in ("--data-dir", "--pid-file", "--log-file"):
        assert started.serve[started.serve.index(option) + 1].startswith(f"{tmp_path}/run/")


def test_a_dead_server_is_given_up_long_before_a_slow_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The port is bound and nobody listens: every try to connect is refused."""
    monkeypatch.setattr(session, "REACHED_S", 0.3)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"mongodb://127.0.0.1:{bound.getsockname()[1]}/x"
        before_s = time.monotonic()
        with pytest.raises(NotAnsweringError):
            session.server_status(url, 60.0)
        assert time.monotonic() - before_s < 30.0
