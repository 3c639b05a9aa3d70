"""A neighbour can only slow a target down: what is met remains met, what is missed is unclear."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from perf_pipeline.analysis.beside_neighbours import beside_neighbours

if TYPE_CHECKING:
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.level import LevelMetrics


def _level(*, is_only_noisy: bool) -> LevelMetrics:
    return cast("LevelMetrics", SimpleNamespace(is_only_noisy=is_only_noisy))


@pytest.mark.parametrize(
    ("verdict", "beside", "of_its_cpu_use"),
    [
        ("met", "met", "unclear"),
        ("missed", "unclear", "missed"),
        ("unclear", "unclear", "unclear"),
        ("no_data", "no_data", "no_data"),
    ],
)
def test_only_what_a_neighbour_may_have_caused_becomes_unclear(
    verdict: Verdict, beside: Verdict, of_its_cpu_use: Verdict
) -> None:
    noisy, quiet = _level(is_only_noisy=True), _level(is_only_noisy=False)
    assert beside_neighbours(verdict, noisy) == beside
    assert beside_neighbours(verdict, noisy, slower_is_worse=False) == of_its_cpu_use
    assert beside_neighbours(verdict, quiet) == verdict
