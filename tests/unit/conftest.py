"""A valid level of 10 slots as workers leave it, a buffer of steps, and no secret of before."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline import steps
from perf_pipeline.analysis.level import measure_level
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.redaction.known import KnownSecrets
from perf_pipeline.redaction.redact import REDACTOR
from perf_pipeline.steps import NO_WORKFLOW, record_steps, set_workflow
from tests.simulated_level import SimulatedWorker, closed_loop, write_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.steps import StepBuffer


@pytest.fixture(scope="session")
def valid_level(tmp_path_factory: pytest.TempPathFactory) -> LevelMetrics:
    """10 in flight on a runtime, every workflow takes 10 ms, steady from 2 to 10 s: 1000/s."""
    rows = closed_loop(10, lambda _slot: 0.01, until_s=10)
    folder = write_level(
        tmp_path_factory.mktemp("level"), [SimulatedWorker(rows)], slots=10, steady_s=(2.0, 10.0)
    )
    level = measure_level(folder, LevelContext([("transformation", "simple")], [], {}))
    return replace(level, target="kailash")


@pytest.fixture(autouse=True)
def _no_secret_outlives_its_test() -> Iterator[None]:
    """What a test remembers as a password must not be removed from the texts of the next one.

    Nor what a test of another tier remembered in the same process before.
    """
    known = REDACTOR._secrets, REDACTOR._known
    REDACTOR._secrets, REDACTOR._known = frozenset(), KnownSecrets(())
    yield
    REDACTOR._secrets, REDACTOR._known = known


@pytest.fixture
def buffer() -> Iterator[StepBuffer]:
    """Steps are recorded, with a clock that advances by 1 ns at each reading, from 1 ns on."""
    made = record_steps(itertools.count(1).__next__)
    yield made
    steps._set_buffer(None)
    set_workflow(NO_WORKFLOW)
