"""Settings of whole scenarios: servers of their own, and the load lock of the host."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.settings import current_settings
from tests.integration.conftest import mariadb, settings_in

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

__all__ = ["mariadb"]


@pytest.fixture(scope="module")
def module_settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of one module, with the user's servers where URLs are set.

    The load lock is the host's, since another load run would be measured as well.
    """
    users = current_settings()
    return replace(
        settings_in(tmp_path_factory.mktemp("performance")),
        urls=users.urls,
        cache_dir=users.cache_dir,
        lock_path=users.lock_path,
    )
