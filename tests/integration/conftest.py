"""Real servers for the tests that need them."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.services import SERVICES
from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.servers.lifecycle.debian import obtain
from perf_pipeline.servers.lifecycle.services import ServiceSession
from perf_pipeline.servers.lifecycle.unpacked import unpacked_root
from perf_pipeline.servers.mongodb.ferretdb import built_folder
from perf_pipeline.servers.mongodb.service import STAND_IN
from perf_pipeline.servers.mysql.service import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.servers.server import Server

_ROOT = Path(__file__).resolve().parents[2]
_ANSWER_S = 60.0

Owner = tuple[subprocess.Popen[str], Any]


def settings_in(folder: Path) -> Settings:
    """Return settings that keep everything in ``folder`` and know no server of the user's.

    Programs come from this machine, though, and from the user's cache of obtained ones.
    """
    users = current_settings()
    unpacked = unpacked_root(users.cache_dir, PACKAGE) / "usr/sbin"
    built = built_folder(users.cache_dir)
    return Settings(
        urls={},
        results_dir=folder / "results",
        cache_dir=folder / "cache",
        state_dir=folder / "state",
        temp_dir=folder,
        lock_path=folder / "load.lock",
        search_path=f"{users.search_path}:{unpacked}:{built}",
        mongodb_stand_in=STAND_IN,
        is_recorded=False,
        noise="tell",  # the machine is shared with the rest of the tests, and with their servers
    )


@pytest.fixture(scope="session")
def mariadb() -> None:
    """Make MariaDB available: root installs it, other users unpack it into the cache."""
    messages: list[str] = []
    users = replace(current_settings(), urls={})
    is_root = os.geteuid() == 0
    assert obtain(PACKAGE, users, as_root=is_root, notify=messages.append), "\n".join(messages)


@pytest.fixture(scope="session")
def servers(
    tmp_path_factory: pytest.TempPathFactory,
    mariadb: None,  # noqa: ARG001
) -> Iterator[dict[str, Server]]:
    """One server of every service for the test session; MongoDB's is FerretDB or the stand-in."""
    with ServiceSession(settings_in(tmp_path_factory.mktemp("servers")), SERVICES) as session:
        yield session.servers


@pytest.fixture
def settings(tmp_path: Path, mariadb: None) -> Settings:  # noqa: ARG001
    """Settings whose folders are the test's own."""
    return settings_in(tmp_path)


@pytest.fixture
def start_owner(tmp_path: Path) -> Iterator[Callable[..., Owner]]:
    """A function that starts owner_process.py and returns it with the object that it printed."""
    owners = []

    def start(what: str, *arguments: str) -> Owner:
        owner = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.integration.servers.owner_process",
                what,
                tmp_path,
                *arguments,
            ],
            cwd=_ROOT,
            env={**os.environ, "PERF_PIPELINE_MONGODB_STANDIN": STAND_IN},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        owners.append(owner)
        assert owner.stdout is not None
        assert select.select([owner.stdout], [], [], _ANSWER_S)[0], "the owner printed nothing"
        return owner, json.loads(owner.stdout.readline())

    yield start
    for owner in owners:
        owner.kill()
        owner.communicate()


@pytest.fixture
def served(tmp_path: Path, servers: dict[str, Server]) -> Settings:
    """Settings of the test's own, over the session's PostgreSQL and Redis and the user's cache."""
    urls = {name: servers[name].url for name in ("postgres", "redis")}
    cache_dir = current_settings().cache_dir
    return replace(settings_in(tmp_path), urls=urls, cache_dir=cache_dir)
