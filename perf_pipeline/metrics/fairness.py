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
    served = ended.group_by("worker", "slot").len()["len"].to_numpy().astype(np.float64)
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
