"""The exact segmentation against the definition: every segmentation, and the cheapest of them."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from perf_pipeline.analysis.change_points.segmentation import segment


def _cheapest(values: np.ndarray, penalty: float, min_points: int) -> list[int]:
    n, best, least = len(values), [], np.inf
    for count in range(n // min_points):
        for starts in combinations(range(min_points, n), count):
            borders = [0, *starts, n]
            if any(end - start < min_points for start, end in pairwise(borders)):
                continue
            parts = [values[start:end] for start, end in pairwise(borders)]
            cost = sum(((part - part.mean()) ** 2).sum() for part in parts) + penalty * count
            if cost < least:
                best, least = list(starts), cost
    return best


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_cheapest_of_all_segmentations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.repeat(rng.normal(0, 3, 4), 4) + rng.normal(0, 1, 16)
    penalty = float(rng.uniform(1, 20))
    assert segment(values, penalty, 3) == _cheapest(values, penalty, 3)


def test_a_series_shorter_than_two_segments_is_one() -> None:
    assert segment(np.arange(11.0), 0.0, 6) == []
    assert segment(np.array([]), 1.0, 6) == []
