"""Real servers for the tests that need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import Settings, current_settings
from perf_pipeline.infrastructure.resolution import BACK_ENDS
from perf_pipeline.infrastructure.services import ServiceSession

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.infrastructure.server import Server


def settings_in(folder: Path, urls: dict[str, str] | None = None) -> Settings:
    """Return settings that keep everything in ``folder`` and know no server but ``urls``."""
    folder.mkdir(parents=True, exist_ok=True)
    return Settings(
        urls=urls or {},
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
    settings = settings_in(tmp_path_factory.mktemp("servers"))
    with ServiceSession(settings, BACK_ENDS) as session:
        yield session.servers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings whose folders are the test's own."""
    return settings_in(tmp_path)
