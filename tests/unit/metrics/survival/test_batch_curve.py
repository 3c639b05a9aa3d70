"""The curve that intervals are read off."""

from __future__ import annotations

import numpy as np

from perf_pipeline.metrics.survival.batch_counts import BatchCounts
from perf_pipeline.metrics.survival.batch_curve import BatchCurve
from perf_pipeline.metrics.survival.batches import Observed


def test_who_came_younger_than_any_end_is_at_risk_from_the_first_end_on() -> None:
    """Three seen from their beginning, one from the age of 10 ns on: at 100 ns all are at risk."""
    observed = Observed(
        batch=np.zeros(4, dtype=np.int64),
        from_ns=np.array([0, 0, 0, 10]),
        to_ns=np.array([100, 200, 300, 400]),
        ended=np.ones(4, dtype=np.bool_),
        kind=np.zeros(4, dtype=np.int64),
    )
    (counts,) = BatchCounts.of([observed], 1)
    before = counts.came.copy()

    curve = BatchCurve.of(counts)

    assert curve.at_risk[0, 0] == 4
    assert curve.at_risk[0, -1] == 1
    ends = np.flatnonzero(curve.ended[0])
    assert np.round(curve.longer[ends], 9).tolist() == [0.75, 0.5, 0.25, 0.0]
    assert (counts.came == before).all()
