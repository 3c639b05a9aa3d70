"""Real servers for the tests that need them."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.infrastructure.services import SERVICES, ServiceSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.infrastructure.server import Server

_ROOT = Path(__file__).resolve().parents[2]
_ANSWER_S = 60.0

Owner = tuple[subprocess.Popen[str], Any]


def settings_in(folder: Path) -> Settings:
    """Return settings that keep everything in ``folder`` and know no server of the user's."""
    return Settings(
        urls={},
        results_dir=folder / "results",
        cache_dir=folder / "cache",
        state_dir=folder / "state",
        temp_dir=folder,
        lock_path=folder / "load.lock",
        search_path=current_settings().search_path,
    )


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """A PostgreSQL and a Redis of the test session's own, by service."""
    with ServiceSession(settings_in(tmp_path_factory.mktemp("servers")), SERVICES) as session:
        yield session.servers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose folders are the test's own."""
    return settings_in(tmp_path)


@pytest.fixture
def start_owner(tmp_path: Path) -> Iterator[Callable[..., Owner]]:
    """A function that starts owner_process.py and returns it with what it told."""
    owners = []

    def start(what: str, *arguments: str) -> Owner:
        owner = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.owner_process", what, tmp_path, *arguments],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        owners.append(owner)
        assert owner.stdout is not None
        assert select.select([owner.stdout], [], [], _ANSWER_S)[0], "the owner told nothing"
        return owner, json.loads(owner.stdout.readline())

    yield start
    for owner in owners:
        owner.kill()
        owner.communicate()
