"""A machine on which every level from 1 to 2000 fits."""

from __future__ import annotations

import pytest

from perf_pipeline.config.machine import MachineLimits


@pytest.fixture(scope="session")
def machine() -> MachineLimits:
    return MachineLimits(
        descriptors_soft=1024,
        descriptors_hard=20_000,
        tasks=None,
        memory_available_bytes=16_000_000_000,
        memory_group=None,
        cores_usable=2,
    )
