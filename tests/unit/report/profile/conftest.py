"""A planted slowdown, as two sampled sides would show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.profile.profile import Sampling, differential_profile
from tests.simulated_stacks import equal_costs, sampled_side

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.profile import DifferentialProfile

SAMPLING = Sampling("20260114_093012-4f2c", 16, 500, "py-spy 0.4.3", 100, is_native=True)


@pytest.fixture(scope="session")
def profile() -> DifferentialProfile:
    """Return a profile in which ``score`` takes 0.2 ms more."""
    rng = np.random.default_rng(1)
    return differential_profile(
        SAMPLING,
        sampled_side("kailash==2.19.0", equal_costs(), rng),
        sampled_side("kailash==2.20.0", equal_costs(score=0.4e-3), rng),
    )
