"""A bench for the tests of environments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario import target_spec
from tests.integration.environments.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Targets and packages of the test's own."""
    bench = Bench(tmp_path)
    bench.use(monkeypatch)
    yield bench
    target_spec.target_facts.cache_clear()
