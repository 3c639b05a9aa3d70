"""Levels whose truth is known, compared again and again: how often is the verdict wrong?"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from perf_pipeline.compat.regression import analyse_regression

PAIRS = 1000
SPREAD = 0.05
"""Standard deviation between like runs, relative."""


def _runs(rng: Random, count: int, slower: float = 1.0) -> list[dict[str, Any]]:
    runs = []
    for _ in range(count):
        latency = 0.4 * slower * rng.lognormvariate(0, SPREAD)
        runs.append(
            {
                "concurrency": 100,
                "validity": "valid",
                "samples": 5000,
                "failed_workflows": 0,
                "error_rate": 0.0,
                "avg_latency": latency,
                "throughput": 100 / latency,
                "peak_memory_mb": 300 * rng.lognormvariate(0, SPREAD / 5),
            }
        )
    return runs


def _share(verdict: str, runs: int, slower: float) -> float:
    rng = Random(1)
    analyses = (
        analyse_regression(_runs(rng, runs), _runs(rng, runs, slower)) for _ in range(PAIRS)
    )
    return [analysis["verdict"] for analysis in analyses].count(verdict) / PAIRS


@pytest.mark.parametrize("runs", [1, 3, 5])
def test_like_runs_are_called_a_regression_less_than_twice_in_a_hundred(runs: int) -> None:
    """By all metrics together; each alone is below once in a hundred (comparison truths)."""
    assert _share("regression", runs, slower=1.0) < 0.02


@pytest.mark.parametrize(("runs", "slower", "minimum"), [(1, 1.5, 0.95), (3, 1.25, 0.9)])
def test_a_slowdown_is_found(runs: int, slower: float, minimum: float) -> None:
    assert _share("regression", runs, slower) > minimum


@pytest.mark.parametrize("runs", [1, 3])
def test_a_slowdown_is_hardly_ever_called_no_change(runs: int) -> None:
    """By 25 %, which single runs cannot tell: then the verdict is unstable."""
    assert _share("no_change", runs, slower=1.25) < 0.05
