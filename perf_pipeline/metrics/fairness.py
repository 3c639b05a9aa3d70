"""How evenly the slots were served."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.level import Fairness

if TYPE_CHECKING:
    import polars as pl


def fairness_of(ended: pl.DataFrame, slots: int) -> Fairness:
    """Compare the slots by how many workflows each ended.

    Args:
        ended: Records of the workflows that ended in the window.
        slots: Number of slots of all workers, those that ended nothing included.

    Source:
        Jain, Chiu, Hawe, "A Quantitative Measure of Fairness", DEC-TR-301, 1984.
    """
    worker, slot = (ended[name].to_numpy().astype(np.int64) for name in ("worker", "slot"))
    by_place = np.bincount(worker * (slot.max(initial=0) + 1) + slot)
    served = by_place[by_place > 0]
    counts = np.zeros(slots)
    counts[: len(served)] = served
    squares = float((counts**2).sum())
    return Fairness(
        slots=slots,
        starved=slots - len(served),
        median=float(np.median(counts)),
        most=int(counts.max()),
        jain_index=float(counts.sum()) ** 2 / (slots * squares) if squares else None,
    )
